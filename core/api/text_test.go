package api_test

import (
	"encoding/base64"
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/tidemark-log/tidemark/core/kafka"
	"github.com/tidemark-log/tidemark/core/record"
)

// # Messages as text
//
// A request is written as a value of its kmsg struct, {Field: value, List: [a, {…}]}; what is
// left out has kmsg's default. A reply is one line per struct, with its fields that have not
// kmsg's default, and its lists of structs indented below.

// responseText renders a reply.
func responseText(resp kmsg.Response) string {
	var s strings.Builder
	v := reflect.ValueOf(resp).Elem()
	name := strings.TrimSuffix(v.Type().Name(), "Response")
	fmt.Fprintf(&s, "%s v%d", name, resp.GetVersion())
	writeStruct(&s, v, 1)
	return s.String()
}

func writeStruct(s *strings.Builder, v reflect.Value, depth int) {
	usual := reflect.New(v.Type())
	if d, ok := usual.Interface().(interface{ Default() }); ok {
		d.Default()
	}
	var lists []int
	for i := range v.NumField() {
		f, name := v.Field(i), v.Type().Field(i).Name
		switch {
		case name == "Version" || name == "UnknownTags":
		case f.Kind() == reflect.Slice && f.Type().Elem().Kind() == reflect.Struct:
			lists = append(lists, i)
		case reflect.DeepEqual(f.Interface(), usual.Elem().Field(i).Interface()):
		default:
			fmt.Fprintf(s, " %s=%s", name, fieldText(name, f))
		}
	}
	s.WriteByte('\n')
	for _, i := range lists {
		for j := range v.Field(i).Len() {
			s.WriteString(strings.Repeat("  ", depth))
			s.WriteString(v.Type().Field(i).Name)
			writeStruct(s, v.Field(i).Index(j), depth+1)
		}
	}
}

func fieldText(name string, f reflect.Value) string {
	switch v := f.Interface().(type) {
	case []byte:
		return batchesText(v)
	case [16]byte:
		return kafka.TopicID(v).String()
	case *string:
		if v == nil {
			return "null"
		}
		return wordText(*v)
	case string:
		return wordText(v)
	case int16:
		if name == "ErrorCode" {
			return kafka.ErrorCode(v).String()
		}
	}
	if f.Kind() == reflect.Pointer && f.Type().Elem().Kind() == reflect.Struct {
		if f.IsNil() {
			return "null"
		}
		f = f.Elem()
	}
	if f.Kind() == reflect.Struct {
		var s strings.Builder
		writeStruct(&s, f, 0)
		return "{" + strings.TrimSpace(s.String()) + "}"
	}
	return strings.ReplaceAll(fmt.Sprint(f.Interface()), " ", ",")
}

func wordText(s string) string {
	if s == "" || strings.ContainsAny(s, " \"\n") {
		return strconv.Quote(s)
	}
	return s
}

// batchesText lists batches as base..last[values], with the time of LogAppendTime and the codec.
func batchesText(b []byte) string {
	if len(b) == 0 {
		return "none"
	}
	var out []string
	for batch, err := range record.Batches(b) {
		if err != nil {
			return "broken: " + err.Error()
		}
		var values []string
		for r, err := range record.Records(batch, record.Limits{}) {
			if err != nil {
				return "broken: " + err.Error()
			}
			values = append(values, abbreviated(string(r.Value)))
		}
		text := fmt.Sprintf("%d..%d[%s]", batch.BaseOffset(), batch.LastOffset(), strings.Join(values, " "))
		if batch.TimestampType() == record.LogAppendTime {
			text += fmt.Sprintf("@%d", batch.MaxTimestamp())
		}
		if batch.Codec() != record.CodecNone {
			text += "/" + batch.Codec().String()
		}
		out = append(out, text)
	}
	return strings.Join(out, ",")
}

func abbreviated(s string) string {
	if len(s) > 12 {
		return fmt.Sprintf("(%d bytes)", len(s))
	}
	return s
}

// flow is a parser of the request syntax.
type flow struct{ s string }

func parseFlow(s string) (v any, err error) {
	p := &flow{s}
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%v near %q", r, p.s)
		}
	}()
	v = p.value()
	p.space()
	if p.s != "" {
		panic("something follows")
	}
	return v, nil
}

func (p *flow) space() { p.s = strings.TrimLeft(p.s, " \n\t") }

func (p *flow) take(c byte) bool {
	p.space()
	if p.s != "" && p.s[0] == c {
		p.s = p.s[1:]
		return true
	}
	return false
}

func (p *flow) value() any {
	switch {
	case p.take('{'):
		m := map[string]any{}
		for !p.take('}') {
			key := p.word()
			if !p.take(':') {
				panic("no colon after " + key)
			}
			m[key] = p.value()
			p.take(',')
		}
		return m
	case p.take('['):
		list := []any{}
		for !p.take(']') {
			list = append(list, p.value())
			p.take(',')
		}
		return list
	}
	return p.word()
}

func (p *flow) word() string {
	p.space()
	if strings.HasPrefix(p.s, `"`) {
		quoted, err := strconv.QuotedPrefix(p.s)
		if err != nil {
			panic(err)
		}
		p.s = p.s[len(quoted):]
		w, _ := strconv.Unquote(quoted)
		return w
	}
	i := strings.IndexAny(p.s, ",:[]{} \n")
	if i < 0 {
		i = len(p.s)
	}
	if i == 0 {
		panic("a word is missing")
	}
	w := p.s[:i]
	p.s = p.s[i:]
	return w
}

// fill sets the fields of a request. Topic ids are given by topic name.
func (b *bench) fill(dst reflect.Value, v any) {
	if v == "null" {
		dst.SetZero()
		return
	}
	switch dst.Kind() {
	case reflect.Pointer:
		dst.Set(reflect.New(dst.Type().Elem()))
		b.fill(dst.Elem(), v)
	case reflect.Struct:
		if d, ok := dst.Addr().Interface().(interface{ Default() }); ok {
			d.Default()
		}
		for name, value := range v.(map[string]any) {
			f := dst.FieldByName(name)
			if !f.IsValid() {
				panic(dst.Type().Name() + " has no field " + name)
			}
			b.fill(f, value)
		}
	case reflect.Slice:
		if dst.Type().Elem().Kind() == reflect.Uint8 {
			dst.SetBytes(b.batches(v))
			return
		}
		list := v.([]any)
		dst.Set(reflect.MakeSlice(dst.Type(), len(list), len(list)))
		for i := range list {
			b.fill(dst.Index(i), list[i])
		}
	case reflect.Array:
		dst.Set(reflect.ValueOf([16]byte(b.topicID(v.(string)))))
	case reflect.String:
		dst.SetString(v.(string))
	case reflect.Bool:
		dst.SetBool(v == "true")
	default:
		if v == "session" { // the one opened last
			v = strconv.Itoa(int(b.session))
		}
		n, err := strconv.ParseInt(v.(string), 0, 64)
		if err != nil {
			panic(err)
		}
		dst.SetInt(n)
	}
}

func (b *bench) topicID(name string) (id kafka.TopicID) {
	if id, ok := b.ids[name]; ok {
		return id
	}
	if raw, err := base64.RawURLEncoding.DecodeString(name); err == nil && len(raw) == 16 {
		return kafka.TopicID(raw)
	}
	copy(id[:], name)
	return id
}

// batches makes the bytes of a Records field: one batch as {values: [a, b], …}, a list of
// them, or text to be taken as bytes.
func (b *bench) batches(v any) []byte {
	switch v := v.(type) {
	case string:
		return []byte(v)
	case []any:
		var out []byte
		for _, one := range v {
			out = append(out, b.batches(one)...)
		}
		return out
	}
	return makeBatch(v.(map[string]any), b.now())
}

func (b *bench) now() int64 { return (*benchClock)(b).WallMillis() }

// makeBatch builds a batch. Keys default to "k", timestamps to now; break makes it wrong.
func makeBatch(m map[string]any, now int64) []byte {
	number := func(key string, def int64) int64 {
		if s, ok := m[key].(string); ok {
			n, err := strconv.ParseInt(s, 0, 64)
			if err != nil {
				panic(err)
			}
			return n
		}
		return def
	}
	codec := record.CodecNone
	if s, ok := m["codec"].(string); ok {
		codec, _ = record.ParseCodec(s)
	}
	opts := record.Options{Codec: codec}
	if _, ok := m["producer"]; ok {
		opts.Producer = &record.Producer{
			ID: kafka.ProducerID(number("producer", -1)), Epoch: kafka.ProducerEpoch(number("epoch", 0)),
			BaseSequence: kafka.Sequence(number("sequence", 0)),
		}
	}
	_, opts.Transactional = m["transactional"]
	builder := record.NewBuilder(opts)
	key := []byte("k")
	if m["key"] == "null" {
		key = nil
	}
	times, _ := m["times"].([]any)
	values, _ := m["values"].([]any)
	for i, value := range values {
		ts := number("time", now)
		if i < len(times) {
			ts, _ = strconv.ParseInt(times[i].(string), 10, 64)
		}
		builder.Append(kafka.Timestamp(ts), key, []byte(value.(string)), nil)
	}
	if n := number("size", 0); n > 0 {
		builder.Append(kafka.Timestamp(number("time", now)), key, make([]byte, n), nil)
	}
	return damaged(builder.Build(), m)
}

// damaged breaks a batch as asked.
func damaged(batch record.Batch, m map[string]any) []byte {
	switch m["break"] {
	case "crc":
		batch[len(batch)-1] ^= 1
	case "magic":
		batch[16] = 1
	case "length":
		batch[11]++
	case "base":
		batch.SetBaseOffset(7)
	case "count":
		batch[60]++
		batch.SetMaxTimestamp(batch.MaxTimestamp() + 1) // recomputes the checksum
	case "control":
		batch[22] |= 1 << 5
		batch.SetMaxTimestamp(batch.MaxTimestamp() + 1)
	case "cut":
		return batch[:len(batch)-3]
	}
	return batch
}
