// Two commands of opm, as it has them: serving a catalog, and writing a bundle that was unpacked
// to a ConfigMap. All of opm needs a C library for the signatures of images.
package main

import (
	"os"

	"github.com/operator-framework/operator-registry/cmd/opm/serve"
	"github.com/operator-framework/operator-registry/pkg/configmap"
	"github.com/spf13/cobra"
)

// What the real command takes: https://github.com/operator-framework/operator-registry
// cmd/opm/alpha/bundle/extract.go
const maxSize = 1 << 20

func extract() *cobra.Command {
	var folder, kubeconfig, name, namespace string
	command := &cobra.Command{
		Use:  "extract",
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			return configmap.NewConfigMapLoader(name, namespace, folder, true, kubeconfig).Populate(maxSize)
		},
	}
	flags := command.Flags()
	flags.StringVar(&folder, "manifestsdir", "", "the folder of the bundle, with a slash at its end")
	flags.StringVar(&kubeconfig, "kubeconfig", "", "how the API server is reached")
	flags.StringVar(&name, "configmapname", "", "the ConfigMap, which exists")
	flags.StringVar(&namespace, "namespace", "", "its namespace")
	return command
}

func main() {
	root := &cobra.Command{Use: "opm", SilenceUsage: true}
	root.AddCommand(serve.NewCmd(), extract())
	if root.Execute() != nil {
		os.Exit(1)
	}
}
