package api

import (
	"errors"
	"fmt"
	"slices"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/core/kafka"
	"github.com/tidemark-log/tidemark/core/record"
)

// Decoded is a request as Decode understood it. It refers to the frame's bytes, and the
// broker may write some of them: a batch's offset and epoch.
type Decoded struct {
	// Err says why the connection must be closed; nil otherwise.
	Err error

	api         *API
	version     int16
	correlation int32
	clientID    string
	request     kmsg.Request
	// batches are those of a Produce, one for each partition in request order.
	batches []Inspected
	// unsupported is an ApiVersions request of a version from the future: its body was
	// not read, and it is answered all the same.
	unsupported bool
}

// Inspected is what can be said of the records for one partition without knowing the topic.
type Inspected struct {
	Batch   record.Batch    // nil if Framing tells that there is none
	Framing *record.Problem // not exactly one batch of format 2
	Problem *record.Problem // damage inside
	Summary record.Summary
}

var (
	errUnknownAPI = errors.New("api: unknown or unsupported request")
	errHeader     = errors.New("api: request header is cut short")
)

// A Decoder is Decode with buffers that last from frame to frame. It serves one caller at
// a time; what it gives does not refer to it.
type Decoder struct {
	// Limits bound what a batch may cost; the zero value is the defaults.
	Limits record.Limits

	inspector *record.Inspector
}

// InflatesTooLarge tells that some batch was refused for its size after decompression: a
// Decoder with larger limits may come to another judgement.
func (d *Decoded) InflatesTooLarge() bool {
	return slices.ContainsFunc(d.batches, func(in Inspected) bool {
		return in.Problem != nil && in.Problem.Code == kafka.MessageTooLarge
	})
}

// Decode parses a frame of a connection of that class. It is pure: the same bytes give the
// same answer, nothing else is read or changed, so that it may run outside the event loop.
// The answer refers to frame.
func Decode(class env.Class, frame []byte) *Decoded {
	var d Decoder
	return d.Decode(class, frame)
}

// Decode is the function Decode, with less to allocate.
func (dec *Decoder) Decode(_ env.Class, frame []byte) *Decoded {
	d := &Decoded{}
	r := reader{src: frame}
	if d.Err = d.header(&r); d.Err != nil || d.unsupported {
		return d
	}
	if d.Err = d.body(r.src); d.Err != nil {
		d.Err = fmt.Errorf("%s v%d: %w", d.api.Name, d.version, d.Err)
		return d
	}
	if req, ok := d.request.(*kmsg.ProduceRequest); ok {
		d.inspect(dec, req)
	}
	return d
}

// header reads the request header up to the body.
func (d *Decoded) header(r *reader) error {
	if len(r.src) < HeaderMin {
		return errHeader
	}
	key, version := r.int16(), r.int16()
	d.correlation = r.int32()
	a := lookup(key)
	if a == nil {
		return fmt.Errorf("%w: key %d version %d", errUnknownAPI, key, version)
	}
	d.api, d.version = a, version
	if version < a.Min || version > a.Max {
		if key != apiVersionsKey || version < 0 {
			return fmt.Errorf("%w: %s version %d", errUnknownAPI, a.Name, version)
		}
		// The answer is written in the oldest version, which every client can read.
		d.unsupported, d.version = true, 0
		return nil
	}
	n := int(r.int16())
	if n < -1 {
		return errLength
	}
	if n > 0 {
		d.clientID = alias(r.span(n))
	}
	if a.flexible(version) {
		w := walker{reader: *r, flexible: true}
		w.tagged(nil)
		*r = w.reader
	}
	return r.err
}

// body checks the grammar, then lets kmsg read the values.
func (d *Decoded) body(src []byte) error {
	w := walker{reader: reader{src: src}, version: d.version, flexible: d.api.flexible(d.version)}
	if err := w.message(d.api.fields); err != nil {
		return err
	}
	d.request = d.api.request()
	d.request.SetVersion(d.version)
	// Strings then point into the frame, which the call keeps until it is answered.
	if u, ok := d.request.(interface{ UnsafeReadFrom([]byte) error }); ok {
		return u.UnsafeReadFrom(src)
	}
	return d.request.ReadFrom(src)
}

// inspect looks into the batches, so that the loop has no pass over their bytes to make.
func (d *Decoded) inspect(dec *Decoder, req *kmsg.ProduceRequest) {
	n := 0
	for i := range req.Topics {
		n += len(req.Topics[i].Partitions)
	}
	if dec.inspector == nil {
		dec.inspector = record.NewInspector(dec.Limits)
	}
	d.batches = make([]Inspected, 0, n)
	for i := range req.Topics {
		for j := range req.Topics[i].Partitions {
			d.batches = append(d.batches, inspect(dec, req.Topics[i].Partitions[j].Records))
		}
	}
}

func inspect(dec *Decoder, records []byte) (in Inspected) {
	in.Batch, in.Framing = record.Single(records)
	if in.Framing == nil {
		in.Summary, in.Problem = dec.inspector.Inspect(in.Batch)
	}
	return in
}

// name is for messages about a frame that may not have been understood.
func (d *Decoded) name() string {
	if d.api == nil {
		return "unknown"
	}
	return d.api.Name
}
