package maporder

import (
	"errors"
	"maps"
	"slices"
)

type sink struct{ out []string }

func (s *sink) put(k string) { s.out = append(s.out, k) }

func effects(m map[string]int64, s *sink) {
	for k := range m { // want `line 15 calls s.put, which may see the order`
		s.put(k)
	}
	for k, v := range m { // want `calls println`
		if v > 0 {
			println(k)
		}
	}
	for k := range maps.Keys(m) { // want `calls s.put`
		s.put(k)
	}
	for k := range m { // want `calls \(func\(\) literal\)`
		func() { s.put(k) }()
	}
	for k := range m { // want `does something whose order may be seen`
		defer s.put(k)
	}
}

func results(m map[string]int64) (last string, err error) {
	for k := range m { // want `leaves in last what it met last`
		last = k
	}
	for _, v := range m { // want `sets err to one thing or another`
		if v > 1 {
			err = errOne
		} else {
			err = errTwo
		}
	}
	for k := range m { // want `returns what it met first`
		if k != "" {
			return k, nil
		}
	}
	for _, v := range m { // want `returns one thing or another`
		if v == 1 {
			return "", errOne
		}
		if v == 2 {
			return "", errTwo
		}
	}
	return last, err
}

var errOne, errTwo = errors.New("one"), errors.New("two")

func aliases(m map[string]int64, s *state) {
	for _, v := range m { // want `leaves in \*p what it met last`
		p := &s.total
		*p = v
	}
	for k := range m { // want `leaves in list\[0\] what it met last`
		list := s.order
		list[0] = k
	}
}

func sums(m map[string]float64, names map[string]string) (sum float64, all string, scaled int) {
	for _, v := range m { // want `sums floats, and the sum depends on the order`
		sum += v
	}
	for _, v := range names { // want `adds to all in the order met`
		all += v
	}
	for range names { // want `changes scaled step by step`
		scaled /= 2
	}
	return sum, all, scaled
}

func lists(m map[string]int64) []string {
	var keys []string
	for k := range m { // want `collects into a slice that this function does not sort afterwards`
		keys = append(keys, k)
	}
	values := slices.Collect(maps.Values(m)) // want `maps.Values gives the entries in an order that differs`
	_ = values
	byValue := map[int64]string{}
	for k, v := range m { // want `leaves in byValue\[v\] what it met last`
		byValue[v] = k
	}
	lists := map[int64][]string{}
	for k, v := range m { // want `collects into a slice`
		lists[v] = append(lists[v], k)
	}
	return keys
}

func early(m map[string]int64, n int) {
	for k := range m { // want `line 108 ends the loop early`
		delete(m, k)
		if n--; n == 0 {
			break
		}
	}
	for _, v := range m { // want `ends the loop early`
		n += int(v)
		if v < 0 {
			return
		}
	}
}

func generic[M ~map[K]V, K comparable, V any](m M, f func(K)) {
	for k := range m { // want `calls f, which may see the order`
		f(k)
	}
}
