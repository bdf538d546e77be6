package maporder

import (
	"cmp"
	"maps"
	"slices"
	"sort"
	"strings"
)

type topic struct {
	name string
	size int64
	seen bool
}

type offset int64

func (o offset) String() string { return "" }

type state struct {
	topics map[string]*topic
	order  []string
	total  int64
}

func accepted(m map[string]int64, s *state) (found bool, most int64) {
	for range m {
		most++
	}
	for k := range m {
		delete(s.topics, k)
	}
	for k, v := range m {
		if v > 3 && strings.HasPrefix(k, "a") {
			delete(m, k)
			continue
		}
		s.total += v
	}
	copied := map[string]int64{}
	for k, v := range m {
		copied[k] = v + 1
	}
	seen := map[int64]bool{}
	for _, v := range m {
		seen[v] = true
	}
	for _, v := range m {
		if v > most {
			most = v
		}
		most = max(most, v, 7)
	}
	for k := range m {
		if k == "x" {
			found = true
			break
		}
	}
	for _, t := range s.topics {
		t.seen = false
		t.size++
	}
	grouped := map[string][]string{}
	for k := range m {
		grouped[k] = append(grouped[k], "one")
	}
	for k, v := range m {
		parts := []string{k}
		for i := range v {
			if i > 3 {
				break
			}
			parts = append(parts, offset(i).String())
		}
		copied[k] = int64(len(parts))
	}
	for k := range m {
		t := s.topics[k]
		t.size++
		fresh := &topic{name: k}
		fresh.seen = true
	}
	return found, most
}

func collected(m map[string]int64, s *state) []string {
	var keys []string
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	for k := range m {
		s.order = append(s.order, k)
	}
	slices.SortFunc(s.order, func(a, b string) int { return cmp.Compare(a, b) })
	var byName []string
	for k := range m {
		byName = append(byName, k)
	}
	sort.Sort(sort.StringSlice(byName))
	return append(keys, byName...)
}

func allPositive(m map[string]int64) bool {
	for _, v := range m {
		if v < 0 {
			return false
		}
	}
	return true
}

func sorted(m map[string]int64, into map[string]int64) {
	for _, k := range slices.Sorted(maps.Keys(m)) {
		println(k)
	}
	_ = slices.SortedFunc(maps.Values(m), cmp.Compare[int64])
	_ = maps.Collect(maps.All(m))
	maps.Insert(into, maps.All(m))
	for k := range maps.Keys(m) {
		delete(into, k)
	}
}

func notAMap(list []float64) (sum float64) {
	for _, f := range list {
		sum += f
	}
	return sum
}
