package kafka_test

import (
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/tidemark-log/tidemark/core/kafka"
)

// Known values of Kafka's own tests: a key must reach the partition that every other
// client would send it to.
func TestKeyHashIsKafkas(t *testing.T) {
	for key, want := range map[string]int32{
		"21":                         -973932308,
		"foobar":                     -790332482,
		"a-little-bit-long-string":   -985981536,
		"a-little-bit-longer-string": -1486304829,
		"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971,
		"abc": 479470107,
	} {
		if got := kafka.Murmur2([]byte(key)); got != want {
			t.Errorf("%q: got %d, want %d", key, got, want)
		}
		if got, want := kafka.PartitionForKey([]byte(key), 10), want&math.MaxInt32%10; got != want {
			t.Errorf("%q: partition %d, want %d", key, got, want)
		}
	}
}

// Values of Java's String.hashCode.
func TestStringHashIsJavas(t *testing.T) {
	for s, want := range map[string]int32{
		"":                         0,
		"a":                        97,
		"hello":                    99162322,
		"my-group":                 -1906497762,
		"ä":                        228,
		"日本":                       835047,
		"😀":                        1772899,
		"polygenelubricants":       math.MinInt32,
		"The quick brown fox":      -1739336029,
		strings.Repeat("group", 9): javaHash(strings.Repeat("group", 9)),
	} {
		if got := kafka.StringHash(s); got != want {
			t.Errorf("%q: got %d, want %d", s, got, want)
		}
	}
}

// javaHash is the definition: the sum of s[i]·31^(n−1−i), for ASCII.
func javaHash(s string) int32 {
	var sum int32
	for i := range len(s) {
		power := int32(1)
		for range len(s) - 1 - i {
			power *= 31
		}
		sum += int32(s[i]) * power
	}
	return sum
}

func TestHashesStayWithinThePartitions(t *testing.T) {
	if p := kafka.CoordinatorPartition("polygenelubricants", 50); p != 0 {
		t.Errorf("the hash without absolute value goes to %d", p)
	}
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.Int32Range(1, math.MaxInt32).Draw(t, "partitions")
		key := rapid.SliceOf(rapid.Byte()).Draw(t, "key")
		id := rapid.String().Draw(t, "id")
		if p := kafka.PartitionForKey(key, n); p < 0 || p >= n {
			t.Fatalf("key to partition %d of %d", p, n)
		}
		if p := kafka.CoordinatorPartition(id, n); p < 0 || p >= n {
			t.Fatalf("id to partition %d of %d", p, n)
		}
	})
}

// After 2147483647 comes 0, so sequences count modulo 2^31 and are never negative.
func TestSequenceWrapsToZero(t *testing.T) {
	const most = kafka.Sequence(math.MaxInt32)
	for _, c := range []struct {
		from kafka.Sequence
		n    int32
		want kafka.Sequence
	}{
		{0, 0, 0}, {5, 3, 8}, {most, 0, most}, {most, 1, 0}, {most - 1, 3, 1}, {most, math.MaxInt32, most - 1},
	} {
		if got := c.from.Add(c.n); got != c.want {
			t.Errorf("%d + %d: got %d, want %d", c.from, c.n, got, c.want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		from := kafka.Sequence(rapid.Int32Range(0, math.MaxInt32).Draw(t, "from"))
		n := rapid.Int32Range(0, math.MaxInt32).Draw(t, "n")
		if got := from.Add(n); got < 0 || int64(got) != (int64(from)+int64(n))%(1<<31) {
			t.Fatalf("%d + %d = %d", from, n, got)
		}
	})
}

func TestTopicIDReadsBackAndNothingElseDoes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var id kafka.TopicID
		copy(id[:], rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "id"))
		s := id.String()
		if got, err := kafka.ParseTopicID(s); err != nil || got != id || len(s) != 22 {
			t.Fatalf("%q: %v, %v", s, got, err)
		}
	})
	if s := kafka.MetadataTopicID.String(); s != "AAAAAAAAAAAAAAAAAAAAAQ" {
		t.Errorf("metadata topic id is %s", s)
	}
	for _, s := range []string{
		"", "AAAA", strings.Repeat("A", 23),
		"AAAAAAAAAAAAAAAAAAAAA=", "AAAAAAAAAAAAAAAAAAAAAR", "AAAAAAAAAAAAAAAAAAAA/A",
	} {
		if id, err := kafka.ParseTopicID(s); err == nil {
			t.Errorf("%q was read as %v", s, id)
		}
	}
}

func TestTopicPartitionReadsBackAndNothingElseDoes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tp := kafka.TopicPartition{
			Topic:     rapid.StringMatching(`[a-zA-Z0-9._-]{1,20}`).Draw(t, "topic"),
			Partition: rapid.Int32Range(0, math.MaxInt32).Draw(t, "partition"),
		}
		if got, err := kafka.ParseTopicPartition(tp.String()); err != nil || got != tp {
			t.Fatalf("%s: %v, %v", tp, got, err)
		}
	})
	for _, s := range []string{"", "-", "t", "t-", "-1", "t-x", "t-01", "t-+1", "t-2147483648", "t-1 "} {
		if tp, err := kafka.ParseTopicPartition(s); err == nil {
			t.Errorf("%q was read as %v", s, tp)
		}
	}
}

func TestTopicNamesAreKafkas(t *testing.T) {
	for _, name := range []string{"a", "A.b_c-9", "...", "__consumer_offsets", strings.Repeat("x", 249)} {
		if why := kafka.ValidateTopicName(name); why != "" {
			t.Errorf("%q: %s", name, why)
		}
	}
	for _, name := range []string{"", ".", "..", "a b", "a/b", "ä", "a\x00", "a\n", strings.Repeat("x", 250)} {
		if kafka.ValidateTopicName(name) == "" {
			t.Errorf("%q is allowed", name)
		}
	}
	collide := func(a, b string) bool { return kafka.CollisionKey(a) == kafka.CollisionKey(b) }
	if !collide("a.b_c", "a_b.c") || collide("a.b", "a-b") {
		t.Error("dot and underscore must collide, and nothing else")
	}
}

func TestErrorCodesHaveKafkasNames(t *testing.T) {
	for code, want := range map[kafka.ErrorCode]string{
		-1: "UNKNOWN_SERVER_ERROR", 0: "NONE", 87: "INVALID_RECORD", 999: "ERROR_999",
	} {
		if got := code.String(); got != want {
			t.Errorf("%d: got %s, want %s", code, got, want)
		}
	}
}
