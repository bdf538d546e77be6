package api

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"reflect"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/core/kafka"
	"github.com/tidemark-log/tidemark/core/record"
)

// frame writes a request with its header.
func frame(key, version int16, flexible bool, body []byte) []byte {
	b := binary.BigEndian.AppendUint16(nil, uint16(key))
	b = binary.BigEndian.AppendUint16(b, uint16(version))
	b = append(b, 0, 0, 0, 7, 0, 2, 'm', 'e')
	if flexible {
		b = append(b, 0)
	}
	return append(b, body...)
}

func frameFor(a *API, version int16, body []byte) []byte {
	return frame(a.Key, version, a.flexible(version), body)
}

// populate sets every field to something that is not its default, two elements in each list.
func populate(v reflect.Value, depth int) {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			if name := v.Type().Field(i).Name; name != "UnknownTags" && name != "Version" {
				populate(v.Field(i), depth+1)
			}
		}
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			v.SetBytes(goodBatch())
			return
		}
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range 2 {
			populate(v.Index(i), depth+1)
		}
	case reflect.Array:
		v.Index(3).SetUint(uint64(depth))
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		populate(v.Elem(), depth)
	case reflect.String:
		v.SetString(fmt.Sprintf("word-%d", depth))
	case reflect.Bool:
		v.SetBool(true)
	default:
		v.SetInt(int64(1 + depth))
	}
}

func goodBatch() record.Batch {
	b := record.NewBuilder(record.Options{})
	b.Append(1, []byte("k"), []byte("v"), nil)
	return b.Build()
}

// eachVersion calls check with a populated and an empty request of every version offered.
func eachVersion(t *testing.T, check func(t *testing.T, a *API, version int16, body []byte)) {
	for _, a := range table {
		for version := a.Min; version <= a.Max; version++ {
			full, bare := a.request(), a.request()
			full.SetVersion(version)
			bare.SetVersion(version)
			populate(reflect.ValueOf(full).Elem(), 0)
			for kind, req := range map[string]kmsg.Request{"full": full, "bare": bare} {
				t.Run(fmt.Sprintf("%s/v%d/%s", a.Name, version, kind), func(t *testing.T) {
					check(t, a, version, req.AppendTo(nil))
				})
			}
		}
	}
}

func TestDecodeReadsWhatClientsWriteInEveryVersion(t *testing.T) {
	eachVersion(t, func(t *testing.T, a *API, version int16, body []byte) {
		d := Decode(env.ClassClient, frameFor(a, version, body))
		if d.Err != nil {
			t.Fatal(d.Err)
		}
		if d.api != a || d.version != version || d.correlation != 7 || d.clientID != "me" {
			t.Errorf("header %s v%d %d %q", d.api.Name, d.version, d.correlation, d.clientID)
		}
		if again := d.request.AppendTo(nil); !bytes.Equal(again, body) {
			t.Errorf("read and written again:\n%x\n%x", body, again)
		}
	})
}

func TestDecodeLeavesBytesAfterTheEndAlone(t *testing.T) {
	eachVersion(t, func(t *testing.T, a *API, version int16, body []byte) {
		d := Decode(env.ClassClient, append(frameFor(a, version, body), 1, 0, 0))
		if d.Err != nil {
			t.Fatal(d.Err)
		}
		if again := d.request.AppendTo(nil); !bytes.Equal(again, body) {
			t.Errorf("read and written again:\n%x\n%x", body, again)
		}
	})
}

// The Metadata request for all topics as librdkafka 2.16 sends it: four bytes for a null
// array that takes one. Apache Kafka 4.3.1 answers it.
func TestDecodeReadsAllTopicsAsLibrdkafkaAsks(t *testing.T) {
	sent, err := hex.DecodeString("0003000d00000003000772646b61666b610000000000010000")
	if err != nil {
		t.Fatal(err)
	}
	d := Decode(env.ClassClient, sent)
	if d.Err != nil {
		t.Fatal(d.Err)
	}
	if topics := d.request.(*kmsg.MetadataRequest).Topics; topics != nil {
		t.Errorf("asks for %v, not for all", topics)
	}
}

func TestDecodeRefusesEveryCut(t *testing.T) {
	eachVersion(t, func(t *testing.T, a *API, version int16, body []byte) {
		whole := frameFor(a, version, body)
		for n := range whole {
			if d := Decode(env.ClassClient, whole[:n]); d.Err == nil {
				t.Fatalf("%d of %d bytes were enough", n, len(whole))
			}
		}
	})
}

func TestDecodeRefusesWhatIsNotOffered(t *testing.T) {
	for _, c := range []struct {
		key, version int16
	}{{0, 2}, {0, 14}, {1, 3}, {1, 19}, {2, 0}, {3, 14}, {4, 0}, {7, 3}, {18, -1}, {22, 6}, {60, 3},
		{71, 0}, {-1, 0}, {127, 0}, {128, 0}, {32767, 0}} {
		d := Decode(env.ClassClient, frame(c.key, c.version, false, make([]byte, 40)))
		if !errors.Is(d.Err, errUnknownAPI) {
			t.Errorf("key %d version %d: %v", c.key, c.version, d.Err)
		}
	}
}

func TestDecodeReadsNoBodyOfAnApiVersionsFromTheFuture(t *testing.T) {
	for _, version := range []int16{5, 6, 32767} {
		d := Decode(env.ClassClient, frame(18, version, true, []byte("what will be")))
		if d.Err != nil || !d.unsupported || d.version != 0 || d.correlation != 7 {
			t.Errorf("version %d: %+v", version, d)
		}
	}
}

func TestDecodeRefusesWhatTheGrammarForbids(t *testing.T) {
	long := bytes.Repeat([]byte{'a'}, StringMax+1)
	for _, c := range []struct {
		name         string
		key, version int16
		body         []byte
		want         error
	}{
		{"null topics in metadata v0", 3, 0, []byte{0xff, 0xff, 0xff, 0xff}, errNull},
		{"null name in metadata v9", 3, 9, []byte{2, 0, 0, 1, 0, 0, 0}, errNull},
		{"null topics in fetch", 1, 4, append(make([]byte, 17), 0xff, 0xff, 0xff, 0xff), errNull},
		{"array length -2", 3, 1, []byte{0xff, 0xff, 0xff, 0xfe}, errLength},
		{"string length -2", 22, 0, []byte{0xff, 0xfe, 0, 0, 0, 1}, errLength},
		{"string longer than the old encoding holds", 22, 2, append([]byte{0x81, 0x80, 0x02}, long...), errLength},
		{"too many elements", 20, 1, []byte{0, 0x0f, 0x42, 0x41}, errElements},
		{"too many elements of a fixed size", 19, 2, elementsOfFixedSize(), errElements},
		{"too many tags", 60, 0, []byte{0, 0x91, 0x4e}, errTags},
		{"a tag longer than the rest", 60, 0, []byte{0, 1, 9, 5, 0}, errShort},
		{"a length of six bytes", 60, 0, []byte{0, 0x80, 0x80, 0x80, 0x80, 0x80, 0}, errShort},
		{"a known tag with something behind its value", 1, 12, fetchWithTag(0, []byte{0, 0}), errTrailing},
		{"a known tag that is cut", 1, 15, fetchWithTag(1, []byte{0, 0, 0, 1}), errShort},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := lookup(c.key)
			if d := Decode(env.ClassClient, frameFor(a, c.version, c.body)); !errors.Is(d.Err, c.want) {
				t.Errorf("got %v, want %v", d.Err, c.want)
			}
		})
	}
}

// elementsOfFixedSize claims a million replicas in a frame that holds none.
func elementsOfFixedSize() []byte {
	b := []byte{0, 0, 0, 1, 0, 1, 't', 0, 0, 0, 1, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0}
	return append(b, 0x00, 0x0f, 0x42, 0x41)
}

func fetchWithTag(tag byte, value []byte) []byte {
	req := kmsg.NewFetchRequest()
	req.Version = 12
	if tag == 1 {
		req.Version = 15
	}
	body := req.AppendTo(nil)
	body = append(body[:len(body)-1], 1, tag, byte(len(value)))
	return append(body, value...)
}

func TestDecodeIgnoresUnknownTags(t *testing.T) {
	body := append([]byte{0, 1, 99, 3}, "abc"...)
	if d := Decode(env.ClassClient, frameFor(lookup(60), 0, body)); d.Err != nil {
		t.Error(d.Err)
	}
}

func TestDecodeJudgesEveryBatchOfAProduce(t *testing.T) {
	req := kmsg.NewProduceRequest()
	req.Version = 7
	broken := goodBatch()
	broken[len(broken)-1]++
	two := append(goodBatch(), goodBatch()...)
	for _, records := range [][]byte{goodBatch(), broken, nil, two, goodBatch()[:40]} {
		req.Topics = append(req.Topics, kmsg.ProduceRequestTopic{
			Topic: "t", Partitions: []kmsg.ProduceRequestTopicPartition{{Records: records}},
		})
	}
	d := Decode(env.ClassClient, frameFor(lookup(0), 7, req.AppendTo(nil)))
	if d.Err != nil || len(d.batches) != 5 {
		t.Fatal(d.Err, len(d.batches))
	}
	b := d.batches
	if b[0].Framing != nil || b[0].Problem != nil || b[0].Summary.Records != 1 {
		t.Errorf("good batch: %+v", b[0])
	}
	if b[1].Problem == nil || b[1].Problem.Code != kafka.CorruptMessage {
		t.Errorf("damaged batch: %v", b[1].Problem)
	}
	for i, want := range []kafka.ErrorCode{kafka.InvalidRecord, kafka.InvalidRecord, kafka.CorruptMessage} {
		if got := b[2+i].Framing; got == nil || got.Code != want {
			t.Errorf("batch %d: %v, want %v", 2+i, got, want)
		}
	}
}

// FuzzDecode: any bytes are refused or understood, and what was understood, written anew, is
// understood the same way.
func FuzzDecode(f *testing.F) {
	for _, a := range table {
		for version := a.Min; version <= a.Max; version++ {
			req := a.request()
			req.SetVersion(version)
			populate(reflect.ValueOf(req).Elem(), 0)
			f.Add(frameFor(a, version, req.AppendTo(nil)))
		}
	}
	f.Add(frame(18, 9, true, nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		d := Decode(env.ClassClient, b)
		if d.Err != nil || d.unsupported {
			return
		}
		body := d.request.AppendTo(nil)
		again := Decode(env.ClassClient, frameFor(d.api, d.version, body))
		if again.Err != nil {
			t.Fatalf("%s v%d: %v", d.api.Name, d.version, again.Err)
		}
		if third := again.request.AppendTo(nil); !bytes.Equal(third, body) {
			t.Fatalf("%s v%d:\n%x\n%x", d.api.Name, d.version, body, third)
		}
	})
}
