package api_test

import (
	"math"
	"reflect"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"
	"pgregory.net/rapid"

	"github.com/tidemark-log/tidemark/core/api"
	"github.com/tidemark-log/tidemark/core/record"
)

// Whatever a client asks, in any version, with any values in any field: the broker answers
// with a message that can be read, or closes the connection, and goes on serving. Values come
// from small domains, so that names, partitions and offsets often hit what is there.
func TestNoRequestBreaksTheBroker(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		b := mustBoot(t)
		b.createTopic("t", 2)
		for range 12 {
			a := rapid.SampledFrom(api.Table()).Draw(r, "api")
			req := requestNamed(a.Name)
			version := rapid.Int16Range(a.Min, a.Max).Draw(r, "version")
			drawInto(r, b, reflect.ValueOf(req).Elem())
			req.SetVersion(version)
			c := b.conn(rapid.SampledFrom([]string{"one", "two"}).Draw(r, "conn"))
			c.arrived, c.replies = nil, nil
			b.send(c, req)
			b.settle()
			if c.closed {
				delete(b.conns, c.name)
			}
		}
		b.advance(2 * api.FetchWaitMax)
		for _, c := range b.conns {
			if len(c.open) > 0 && !c.closed && !onlyUnacknowledged(c.open) {
				r.Fatalf("%s waits for ever: %+v", c.name, c.open[0])
			}
		}
		b.createTopic("after", 1)
		b.produceTo("after", 0, batchOf(1))
	})
}

// onlyUnacknowledged tells that no reply is due.
func onlyUnacknowledged(open []kmsg.Request) bool {
	for _, req := range open {
		if p, ok := req.(*kmsg.ProduceRequest); !ok || p.Acks != 0 {
			return false
		}
	}
	return true
}

var edges = []int64{-2, -1, 0, 1, 2, 3, 100, 5000, math.MaxInt64, math.MinInt64}

func drawInto(r *rapid.T, b *bench, v reflect.Value) {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			if name := v.Type().Field(i).Name; name != "UnknownTags" && name != "Version" {
				drawInto(r, b, v.Field(i))
			}
		}
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			v.SetBytes(drawBatch(r, b))
			return
		}
		n := rapid.IntRange(0, 3).Draw(r, "elements")
		v.Set(reflect.MakeSlice(v.Type(), n, n))
		for i := range n {
			drawInto(r, b, v.Index(i))
		}
	case reflect.Array:
		if rapid.Bool().Draw(r, "known id") {
			v.Set(reflect.ValueOf([16]byte(b.ids["t"])))
		}
	case reflect.Pointer:
		if rapid.Bool().Draw(r, "not null") {
			v.Set(reflect.New(v.Type().Elem()))
			drawInto(r, b, v.Elem())
		}
	case reflect.String:
		v.SetString(rapid.SampledFrom([]string{"t", "t", "u", "1", "", "a b", "retention.ms"}).Draw(r, "text"))
	case reflect.Bool:
		v.SetBool(rapid.Bool().Draw(r, "flag"))
	default:
		n := rapid.SampledFrom(edges).Draw(r, "number")
		if v.OverflowInt(n) {
			n = int64(int8(n))
		}
		v.SetInt(n)
	}
}

func drawBatch(r *rapid.T, b *bench) []byte {
	m := map[string]any{"values": []any{"a", "b"}}
	for key, values := range map[string][]string{
		"break": {"", "", "crc", "length", "count", "control", "cut", "base"}, "codec": {"none", "gzip", "zstd"},
		"producer": {"-1", "0", "1"}, "epoch": {"0", "1"}, "sequence": {"0", "2", "2147483647"},
	} {
		m[key] = rapid.SampledFrom(values).Draw(r, key)
	}
	if rapid.IntRange(0, 9).Draw(r, "transactional") == 0 {
		m["transactional"] = true
	}
	batch := makeBatch(m, b.now())
	if rapid.IntRange(0, 9).Draw(r, "twice") == 0 {
		return append(batch, batch...)
	}
	return record.Batch(batch)
}
