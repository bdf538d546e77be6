package history

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/tidemark-log/tidemark/core/codec"
)

// Format and Version stand at the start of a history file.
const (
	Format  = "tidemark-history"
	Version = 1
)

// File is a history and, where there is one, the oracle that belongs to it.
type File struct {
	Format  string   `codec:"format"`
	Version int      `codec:"version"`
	History *History `codec:"history"`
	Final   *Final   `codec:"final,omitempty"`
}

// Encode writes the canonical msgpack form: equal histories give equal bytes.
func Encode(h *History, final *Final) ([]byte, error) {
	b, err := codec.Marshal(&File{Format: Format, Version: Version, History: h, Final: final})
	if err != nil {
		return nil, fmt.Errorf("history: encode: %w", err)
	}
	return b, nil
}

// Decode reads what Encode wrote and refuses whatever cannot be judged.
func Decode(b []byte) (*History, *Final, error) {
	if len(b) > FileBytesMax {
		return nil, nil, fmt.Errorf("history: %d bytes, at most %d are read", len(b), FileBytesMax)
	}
	var f File
	if err := codec.Unmarshal(b, &f); err != nil {
		return nil, nil, fmt.Errorf("history: decode: %w", err)
	}
	switch {
	case f.Format != Format:
		return nil, nil, fmt.Errorf("history: format %.32q, want %q", f.Format, Format)
	case f.Version != Version:
		return nil, nil, fmt.Errorf("history: version %d, this program reads %d", f.Version, Version)
	case f.History == nil:
		return nil, nil, errors.New("history: file without history")
	case len(f.History.Ops) > OpsMax:
		return nil, nil, fmt.Errorf("history: more than %d operations", OpsMax)
	}
	return f.History, f.Final, validate(f.History, f.Final)
}

func validate(h *History, final *Final) error {
	if err := h.Validate(); err != nil || final == nil {
		return err
	}
	return final.Validate()
}

// line is one line of the JSON-lines form; exactly one field is set.
type line struct {
	Header *header         `json:"history,omitempty"`
	Op     *Op             `json:"op,omitempty"`
	Final  *FinalPartition `json:"final,omitempty"`
}

type header struct {
	Version   int       `json:"version"`
	Name      string    `json:"name"`
	Seed      uint64    `json:"seed"`
	Processes []Process `json:"processes"`
	End       Stamp     `json:"end"`
	Final     bool      `json:"final"`
}

// WriteJSONL writes the text form: a header, one line per operation, one per partition of
// the oracle. It carries the same information as the msgpack form.
func WriteJSONL(w io.Writer, h *History, final *Final) error {
	bw := bufio.NewWriter(w)
	enc := json.NewEncoder(bw)
	err := enc.Encode(line{Header: &header{Version, h.Name, h.Seed, h.Processes, h.End, final != nil}})
	for i := 0; err == nil && i < len(h.Ops); i++ {
		err = enc.Encode(line{Op: &h.Ops[i]})
	}
	if final != nil {
		for i := 0; err == nil && i < len(final.Partitions); i++ {
			err = enc.Encode(line{Final: &final.Partitions[i]})
		}
	}
	if err == nil {
		err = bw.Flush()
	}
	if err != nil {
		return fmt.Errorf("history: write text: %w", err)
	}
	return nil
}

// ReadJSONL reads the text form, from here or from another tool.
func ReadJSONL(r io.Reader) (*History, *Final, error) {
	scan := bufio.NewScanner(r)
	scan.Buffer(make([]byte, 0, 64<<10), LineBytesMax)
	h, final := (*History)(nil), (*Final)(nil)
	for n := 1; scan.Scan(); n++ {
		var l line
		dec := json.NewDecoder(bytes.NewReader(scan.Bytes()))
		dec.DisallowUnknownFields()
		if err := dec.Decode(&l); err != nil {
			return nil, nil, fmt.Errorf("history: line %d: %w", n, err)
		}
		switch {
		case l.Header != nil && h == nil && l.Header.Version == Version:
			h = &History{Name: l.Header.Name, Seed: l.Header.Seed, Processes: l.Header.Processes, End: l.Header.End}
			if l.Header.Final {
				final = &Final{}
			}
		case l.Op != nil && h != nil && len(h.Ops) < OpsMax:
			h.Ops = append(h.Ops, *l.Op)
		case l.Final != nil && final != nil:
			final.Partitions = append(final.Partitions, *l.Final)
		default:
			return nil, nil, fmt.Errorf("history: line %d: want a header of version %d first, "+
				"then operations, then the final log if announced", n, Version)
		}
	}
	if err := scan.Err(); err != nil {
		return nil, nil, fmt.Errorf("history: read text: %w", err)
	}
	if h == nil {
		return nil, nil, errors.New("history: empty")
	}
	return h, final, validate(h, final)
}
