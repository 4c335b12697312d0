module hourglass.eigenlayer.io/e2e/container

go 1.24
