package invariant

import "fmt"

// Violation is what Violated panics with.
type Violation struct {
	Name   string // unique, room.kebab-case
	Detail string
}

func (v Violation) Error() string { return "invariant " + v.Name + " violated: " + v.Detail }

// Violated reports that we are wrong. It does not return.
func Violated(name, format string, args ...any) {
	panic(Violation{Name: name, Detail: fmt.Sprintf(format, args...)})
}
