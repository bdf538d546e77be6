package printing

import "fmt"

type id int

type node struct {
	id   id
	next *node
}

type named struct{ name string }

func (n *named) String() string { return n.name }

type byPointer map[*node]bool // want `a pointer as a map key`

type byPart map[struct { // want `a pointer \(field n\) as a map key`
	n *node
	i int
}]bool

type byID map[id]*node

type byText map[[2]string]int

func show(n *node, count *int, f func(), s *named, e error) {
	fmt.Printf("%p", n)            // want `%p prints an address`
	_ = fmt.Sprintf("at %-10p", n) // want `%p prints an address`
	_ = fmt.Sprintf("100%% of %d", n.id)
	_ = fmt.Sprint(count) // want `\*int is printed as an address`
	_ = fmt.Sprint(f)     // want `func\(\) is printed as an address`
	_ = fmt.Sprint(*count, s, e, n.id)
	violated("name", "n=%v", &count) // want `\*\*int is printed as an address`
	violated("name", "%p", n)        // want `%p prints an address`
}

func violated(name, format string, args ...any) { _ = fmt.Sprintf(format, args...) }
