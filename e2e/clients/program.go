package clients

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
)

// A Client answers questions, whatever it is written in.
type Client interface {
	// Ask returns an error only if the client is gone; what the client complains of is in
	// the answer.
	Ask(ctx context.Context, q Question) (Answer, error)
	Close() error
}

// program is a client that runs as a process.
type program struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

// start runs argv with the bootstrap address as its last argument. What it complains of on
// standard error goes to log.
func start(ctx context.Context, argv []string, bootstrap string, log io.Writer) (Client, error) {
	cmd := exec.CommandContext(ctx, argv[0], append(argv[1:], bootstrap)...)
	cmd.Stderr = log
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("clients: %s: %w", argv[0], err)
	}
	return &program{cmd: cmd, in: in, out: bufio.NewReader(out)}, nil
}

// Ask implements Client. The context the program was started with ends a program that
// never answers.
func (p *program) Ask(_ context.Context, q Question) (Answer, error) {
	var a Answer
	line, err := json.Marshal(q)
	if err != nil {
		return a, err
	}
	if _, err := p.in.Write(append(line, '\n')); err != nil {
		return a, fmt.Errorf("clients: ask %s: %w", q.Do, err)
	}
	answer, err := p.out.ReadBytes('\n')
	if err != nil {
		return a, fmt.Errorf("clients: answer to %s: %w", q.Do, err)
	}
	if err := json.Unmarshal(answer, &a); err != nil {
		return a, fmt.Errorf("clients: answer to %s: %w: %s", q.Do, err, answer)
	}
	return a, nil
}

// Close ends the program: its standard input ends, and so does it.
func (p *program) Close() error {
	return errors.Join(p.in.Close(), p.cmd.Wait())
}

// WriteRecords writes what a client shall produce.
func WriteRecords(path string, records []Record) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	buffered := bufio.NewWriter(f)
	out := json.NewEncoder(buffered)
	for _, r := range records {
		if err := out.Encode(r); err != nil {
			return errors.Join(err, f.Close())
		}
	}
	return errors.Join(buffered.Flush(), f.Close())
}

// ReadRecords reads what a client consumed.
func ReadRecords(path string) ([]Record, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var records []Record
	for in := json.NewDecoder(bufio.NewReader(f)); in.More(); {
		var r Record
		if err := in.Decode(&r); err != nil {
			return nil, err
		}
		records = append(records, r)
	}
	return records, nil
}
