package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/tidemark-log/tidemark"
)

func invariantsCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "invariants",
		Short: "Print what the broker checks about itself while it runs",
		Args:  exactArgs(0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := fmt.Fprint(cmd.OutOrStdout(), tidemark.Invariants)
			return err
		},
	}
}
