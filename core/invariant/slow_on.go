//go:build slowcheck

package invariant

// Slow switches on the checks that cost more than a constant.
const Slow = true
