module hourglass.eigenlayer.io/e2e/containers

go 1.24
