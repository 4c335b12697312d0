// Runs every validator of operator-framework/api on a bundle, and operator-registry's on its catalog.
//
//	validate BUNDLE
//
// Prints a line for each error and warning, sorted; ends with 1 if there is an error, with 2 if the
// folder cannot be read.
package main

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/operator-framework/api/pkg/manifests"
	"github.com/operator-framework/api/pkg/validation"
	"github.com/operator-framework/operator-registry/pkg/lib/config"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: validate BUNDLE")
		os.Exit(2)
	}
	folder := os.Args[1]
	bundle, err := manifests.GetBundleFromDir(folder)
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", folder, err)
		os.Exit(2)
	}
	found, errors := ofBundle(bundle)
	if err := config.Validate(context.Background(), catalogs(folder)); err != nil {
		errors++
		found = append(found, fmt.Sprintf("error: catalog: %s", oneLine(err)))
	}
	slices.Sort(found)
	for _, line := range slices.Compact(found) {
		fmt.Println(line)
	}
	fmt.Printf("%d validators of operator-framework/api and the catalog's: %d errors\n", len(validation.AllValidators), errors)
	if errors > 0 {
		os.Exit(1)
	}
}

func ofBundle(bundle *manifests.Bundle) (found []string, errors int) {
	// Each of them takes from the objects those that it knows.
	for _, result := range validation.AllValidators.Validate(bundle.ObjectsToValidate()...) {
		for _, warning := range result.Warnings {
			found = append(found, fmt.Sprintf("warning: %s: %s", result.Name, oneLine(warning)))
		}
		for _, err := range result.Errors {
			errors++
			found = append(found, fmt.Sprintf("error: %s: %s", result.Name, oneLine(err)))
		}
	}
	return found, errors
}

func catalogs(folder string) fs.FS {
	return os.DirFS(filepath.Join(folder, "catalog"))
}

func oneLine(err error) string {
	return strings.Join(strings.Fields(err.Error()), " ")
}
