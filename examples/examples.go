// Package examples holds playbooks that run as they stand, each with its test. The binary carries those that its
// demonstrations use.
package examples

import _ "embed"

// ReclaimDisk frees space in a directory that a logger fills: `tend demo` and `tend demo core` run it.
//
//go:embed reclaim-disk/playbook.yaml
var ReclaimDisk []byte
