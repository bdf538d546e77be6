package history

// Recorder collects the operations of a run. One caller at a time.
type Recorder struct {
	now  func() int64
	seq  int64
	hist History
	open []bool
}

// NewRecorder records with the given clock (nanoseconds, never back).
func NewRecorder(name string, seed uint64, now func() int64) *Recorder {
	return &Recorder{now: now, hist: History{Name: name, Seed: seed}}
}

// Process announces a client and gives it its number.
func (r *Recorder) Process(role Role, name string) int32 {
	id := int32(len(r.hist.Processes))
	r.hist.Processes = append(r.hist.Processes, Process{ID: id, Role: role, Name: name})
	return id
}

// Stamp is the present moment; each call gives a later one.
func (r *Recorder) Stamp() Stamp {
	r.seq++
	return Stamp{At: r.now(), Seq: r.seq}
}

// Begin records the invocation of op, now, and returns its number.
func (r *Recorder) Begin(op Op) int {
	op.ID = len(r.hist.Ops)
	op.Invoke = r.Stamp()
	r.hist.Ops = append(r.hist.Ops, op)
	r.open = append(r.open, true)
	return op.ID
}

// Op gives access to a recorded operation until the next Begin.
func (r *Recorder) Op(id int) *Op { return &r.hist.Ops[id] }

// Asked tells whether an operation of that kind was ever begun on the topic.
func (r *Recorder) Asked(kind Kind, topic string) bool {
	for i := range r.hist.Ops {
		if o := &r.hist.Ops[i]; o.Kind == kind && o.Topic == topic {
			return true
		}
	}
	return false
}

// End records the completion of an operation, now.
func (r *Recorder) End(id int, result Result) *Op {
	op := &r.hist.Ops[id]
	op.Result, op.Return = result, r.Stamp()
	r.open[id] = false
	return op
}

// Finish ends the history: operations still open stay open, with an unknown effect. The
// recorder may go on; the history returned does not change any more.
func (r *Recorder) Finish() *History {
	h := r.hist
	h.End = r.Stamp()
	h.Ops = append([]Op(nil), r.hist.Ops...)
	for i := range h.Ops {
		if r.open[i] {
			h.Ops[i].Result, h.Ops[i].Return = Info, h.End
		}
	}
	return &h
}
