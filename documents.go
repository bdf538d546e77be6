package tidemark

import _ "embed"

// Invariants is docs/invariants.md: the name and the reason of each check that a node makes
// of itself while it runs.
//
//go:embed docs/invariants.md
var Invariants string
