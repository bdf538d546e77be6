package codec

const (
	// SizeMax bounds one value, in bytes. The largest real ones are history files.
	SizeMax = 1 << 30

	// DepthMax bounds nesting. Our deepest record has five levels; the check and the
	// library recurse once per level.
	DepthMax = 32
)
