package simdisk

import (
	"github.com/tidemark-log/tidemark/core/env"
)

// injector is a broken device. A Disk without faults has none, so that its hot path pays a
// comparison with nil and nothing else.
type injector struct {
	Faults
	d    *Disk
	last uint64 // id of the newest instance

	scars     []scarAt // sectors that were damaged; some may have healed
	scarsMax  int      // when to look for healed ones
	diverged  []*file  // with clean pages in the cache that differ from the device
	exhausted *fault   // the instance of descriptors running out; nil while there are some
	mounts    uint64
}

// key says what a decision about an operation is keyed by.
type key struct {
	obj     *object
	ordinal uint64
}

// fault is an instance.
type fault struct {
	ev  FaultEvent
	off bool // its damage is switched off
	// how many of its sectors are damaged still
	live int
}

// SetFaults replaces the knobs from now on. Damage that is there stays.
func (d *Disk) SetFaults(f Faults) {
	if d.inject == nil && f == (Faults{}) {
		return
	}
	in := d.injector()
	in.Faults = f.withDefaults()
	for _, vol := range d.volumes {
		in.setFullAt(vol)
	}
}

// injector makes the device one that can break.
func (d *Disk) injector() *injector {
	if d.inject == nil {
		d.inject = &injector{d: d, scarsMax: scarsMin}
	}
	return d.inject
}

// decide draws whether something with that rate happens to the operation. The draw is the
// source of all parameters of the fault, by draw.
func (in *injector) decide(rate Rate, purpose string, k key) (decision uint64, hit bool) {
	if rate == 0 {
		return 0, false
	}
	decision = in.d.cfg.Decide(purpose, k.obj.name, k.ordinal)
	return decision, rate.hits(decision)
}

// draw is the n-th parameter of a fault, below the bound.
func draw(decision, n, bound uint64) uint64 { return below(spread(decision, n), bound) }

// spread makes a decision of its own for the n-th parameter. The decision itself will not
// do: that it was a hit says where it lies.
func spread(decision, n uint64) uint64 { return mix(mix(decision, n+1), 0x9fb21c651e98df25) }

// offer makes an instance and asks the ledger for it. nil: vetoed.
func (in *injector) offer(purpose string, k key, ev FaultEvent) *fault {
	in.last++
	ev.ID, ev.Stage, ev.At = in.last, FaultArmed, in.d.cfg.Now()
	ev.Purpose, ev.Object, ev.Ordinal = purpose, k.obj.name, k.ordinal
	if ev.Volume == "" {
		ev.Volume = in.d.volumeOf(k.obj).obj.name
	}
	ft := &fault{ev: ev}
	if allow := in.d.cfg.Allow; allow != nil && !allow(ev) {
		in.d.counts.Kinds[ev.Kind].Vetoed++
		in.tell(ft, FaultVetoed)
		return nil
	}
	return ft
}

// fire reports the first effect of an instance.
func (in *injector) fire(ft *fault) {
	if ft.ev.Stage == FaultArmed {
		in.d.counts.Kinds[ft.ev.Kind].Fired++
		in.tell(ft, FaultFired)
	}
}

// observe reports that a process felt an instance for the first time.
func (in *injector) observe(ft *fault) {
	in.fire(ft)
	if ft.ev.Stage == FaultFired {
		in.d.counts.Kinds[ft.ev.Kind].Observed++
		in.tell(ft, FaultObserved)
	}
}

func (in *injector) tell(ft *fault, stage FaultStage) {
	ft.ev.Stage, ft.ev.At = stage, in.d.cfg.Now()
	if in.d.cfg.OnFault != nil {
		in.d.cfg.OnFault(ft.ev)
	}
}

// admit says whether an operation takes place at all.
func (in *injector) admit(v *View, k key, kind OpKind) error {
	if v.dead {
		return nil
	}
	if in.d.volumeOf(k.obj).shut {
		return env.ErrIO
	}
	if kind == OpList || kind == OpSyncDir {
		if err := v.admitHandle(k); err != nil {
			return err
		}
	}
	if kind == OpSyncDir {
		return in.syncFails(k)
	}
	return nil
}

// restart makes the disk ready for a new process.
func (in *injector) restart() {
	for _, vol := range in.d.volumes {
		if vol.shut {
			in.d.remount(vol)
		}
	}
	if !in.PagesOutliveProcess {
		in.forgetAll()
	}
	if in.exhausted != nil {
		in.tell(in.exhausted, FaultEnded)
		in.exhausted = nil
	}
	in.plant()
}

// harden is Disk.harden on such a device: what becomes durable may go elsewhere or rot.
func (in *injector) harden(f *file, mark uint64, also func(*pendingOp) bool) {
	in.loseDue(f)
	if in.BitRot == 0 && in.MisdirectedWrite == 0 && in.WrongRead == 0 {
		in.d.hardenRaw(f, mark, also)
		return
	}
	var written []pendingOp
	var astray *pendingOp
	var before []loss
	for i, picked := range f.picks(mark, also) {
		if op := f.pending[i]; picked && !op.resize {
			written = append(written, op)
			in.remember(f, &op)
			_, hit := in.decide(in.MisdirectedWrite, purposeMisdirect, key{f.obj, op.ordinal})
			if hit && astray == nil {
				astray = &op
				before = f.losable(func(p *pendingOp) bool { return p.ordinal == op.ordinal })
			}
		}
	}
	in.d.hardenRaw(f, mark, also)
	if astray != nil {
		in.misdirect(f, astray, before)
	}
	for i := range written {
		in.rotWritten(f, &written[i])
	}
}

// remember keeps what sectors held, for reads that show it once more.
func (in *injector) remember(f *file, op *pendingOp) {
	if in.WrongRead == 0 {
		return
	}
	if f.before == nil {
		f.before = map[int64]*block{}
	}
	first, last := op.sectors(f.sector)
	for s := first; s < last; s++ {
		if b := f.peek(s).durable; b != nil {
			f.before[s] = b
		}
	}
}

// volumeOf is the volume that a path is on, whether the path exists or not.
func (d *Disk) volumeOf(o *object) *volume {
	if o.vol == nil {
		o.vol = d.root.vol
		for _, vol := range d.volumes {
			root := vol.obj.name
			if len(root) > len(o.vol.obj.name) && within(o.name, root) {
				o.vol = vol
			}
		}
	}
	return o.vol
}

func within(path, root string) bool {
	return path == root || (len(path) > len(root) && path[:len(root)] == root && path[len(root)] == '/')
}

// blockingNow is the time a process has reached that made blocking calls within one event.
func (v *View) blockingNow() env.Instant {
	if now := v.disk.cfg.Now(); v.eventAt != now {
		v.eventAt, v.eventElapsed = now, v.elapsed
	}
	return v.eventAt.Add(v.elapsed - v.eventElapsed)
}
