package power

import (
	"context"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tidemark-log/tidemark/e2e/stage"
	"github.com/tidemark-log/tidemark/scenarios/target/process"
	"github.com/tidemark-log/tidemark/sim/simdisk"
)

func TestMain(m *testing.M) { stage.Main(m) }

// longForm is from how many cycles on the expensive parts run too.
const longForm = 10

// Power is cut under load, in clean stops and in recoveries, again and again, and the disk
// forgets what was not fsynced: under flush.policy=group nothing acknowledged is lost.
func TestPowerLossUnderLoadLosesNothing(t *testing.T) {
	o := outages{cfg: stage.Config(t), cycles: stage.FromEnv(t, "E2E_CYCLES", 3), policy: "group"}
	reports := o.run(t)
	for topic, report := range reports {
		require.True(t, report.OK(), "%s: %s", topic, report.First)
	}
	if o.cycles >= longForm {
		o.requireGoals(t)
	}
}

// requireGoals wants the situations that a long run is for: without them it proves little.
func (o *outages) requireGoals(t *testing.T) {
	t.Helper()
	require.Positive(t, o.crash.InFlight, "no power loss came upon an operation under way")
	require.Positive(t, o.crash.WrittenBack, "nothing became durable by itself")
	require.Positive(t, o.crash.OpsTorn, "no write was torn")
	require.Positive(t, o.crash.NamesLost, "no new name was lost")
	for _, kind := range []string{"under load", "in a clean stop", "in a recovery"} {
		require.Positive(t, o.kinds[kind], "no outage %s", kind)
	}
}

// Under flush.policy=os the same power losses do lose acknowledged records: the test above
// can fail.
func TestPowerLossIsSeenWithoutFsync(t *testing.T) {
	o := outages{cfg: stage.Config(t), cycles: 2, policy: "os", lossy: true}
	reports := o.run(t)
	require.Positive(t, reports["small"].Lost)
	t.Logf("seen as it must be: %s", reports["small"].First)
}

// A product whose journal is written and not synced before it acknowledges does not pass.
func TestAckBeforeSyncIsCaught(t *testing.T) {
	if stage.FromEnv(t, "E2E_CYCLES", 3) < longForm {
		stage.Skip(t, "building a mutant belongs to the long form: make power")
	}
	o := outages{cfg: stage.Config(t), cycles: longForm, policy: "group", lossy: true}
	o.cfg.Binary = buildWithoutSync(t)
	o.run(t)
	require.NotEmpty(t, o.trouble, "the mutant passed")
	t.Logf("caught: %s", o.trouble[0])
}

// buildWithoutSync builds the product with a disk that says a sync is done and does none.
func buildWithoutSync(t *testing.T) string {
	t.Helper()
	source, err := filepath.Abs("../../diskx/os_linux.go")
	require.NoError(t, err)
	text, err := os.ReadFile(source)
	require.NoError(t, err)
	mutated := string(text)
	for _, change := range [][2]string{{"return unix.Fdatasync(fd)", "return nil"}, {"unix.O_DSYNC)", "0)"}} {
		require.Contains(t, mutated, change[0])
		mutated = strings.ReplaceAll(mutated, change[0], change[1])
	}
	dir := t.TempDir()
	replacement, overlay := filepath.Join(dir, "os_linux.go"), filepath.Join(dir, "overlay.json")
	require.NoError(t, os.WriteFile(replacement, []byte(mutated), 0o600))
	plan, err := json.Marshal(map[string]map[string]string{"Replace": {source: replacement}})
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(overlay, plan, 0o600))
	binary := filepath.Join(dir, "mutant")
	out, err := exec.CommandContext(t.Context(), "go", "build", "-overlay", overlay, "-o", binary,
		"../../cmd/tidemark").CombinedOutput()
	require.NoError(t, err, string(out))
	return binary
}

// outages is a broker on a disk that forgets, under load.
type outages struct {
	cfg    process.Config
	cycles int
	policy string // flush.policy
	lossy  bool   // loss is what is looked for

	disk   *FS
	broker *process.Broker
	crash  simdisk.CrashReport // the sum of all
	kinds  map[string]int
	// trouble is what a client could hold against the broker: records lost or doubled, a
	// load that was refused for good, or that came on no more.
	trouble []string
	starts  int
}

// run goes through all cycles and returns what was lost and doubled, by load.
func (o *outages) run(t *testing.T) map[string]process.Report {
	t.Helper()
	o.mount(t)
	defer func() { require.NoError(t, o.disk.Unmount()) }()
	o.start(t)
	defer func() { o.broker.Kill() }()
	ctx := t.Context()
	loads := map[string]*process.Load{}
	for name, cfg := range o.loads() {
		load, err := process.StartLoad(ctx, o.broker.Addr(), cfg)
		require.NoError(t, err)
		loads[name] = load
	}
	churn := process.StartChurn(ctx, o.broker.Addr(), 20)
	began := time.Now()
	for range o.cycles {
		before := loads["small"].Count()
		if !o.progress(t, func() bool { return loads["small"].Count() > before+200 }) || !o.outage(t) {
			break
		}
	}
	if !o.lossy {
		made := churn.Made()
		o.progress(t, func() bool { return churn.Made() > made || churn.Err() != nil })
		require.NoError(t, churn.Err(), "topics are made no more")
	}
	reports := o.audit(t, loads, churn)
	t.Logf("%s: %d cycles in %v, %d starts, outages %v", o.policy, o.cycles,
		time.Since(began).Round(time.Second), o.starts, o.kinds)
	t.Logf("the disk: %+v", o.crash)
	require.Positive(t, o.crash.OpsDropped, "no power loss took anything: the disk did not forget")
	return reports
}

func (o *outages) mount(t *testing.T) {
	t.Helper()
	seed := uint64(stage.FromEnv(t, "E2E_SEED", int(time.Now().UnixNano()&0xffff)))
	t.Logf("E2E_SEED=%d", seed)
	o.kinds = map[string]int{}
	o.cfg.Properties = append(o.cfg.Properties, "tidemark.journal.file.bytes=4194304",
		"tidemark.journal.files=4", "log.flush.policy="+o.policy)
	o.cfg.ReadyTimeout = 60 * time.Second
	var err error
	o.disk, err = Mount(o.cfg.Dir, seed)
	if errors.Is(err, ErrNoFUSE) {
		stage.Skip(t, err.Error())
	}
	require.NoError(t, err)
}

// loads are topics of small records in segments that roll all the time, and of records
// that span many sectors.
func (o *outages) loads() map[string]process.LoadConfig {
	return map[string]process.LoadConfig{
		"small": {Topic: "small", Partitions: 3, ValueBytes: 256, InFlight: 32,
			Configs: map[string]string{"internal.segment.bytes": "65536"}},
		"large": {Topic: "large", Partitions: 2, ValueBytes: 90_000, InFlight: 4,
			Configs: map[string]string{"segment.bytes": "1048576"}},
	}
}

// start reports false where loss is looked for and the broker does not come up over it.
func (o *outages) start(t *testing.T) bool {
	t.Helper()
	broker, err := process.Start(t.Context(), o.cfg)
	if err != nil && o.starts > 0 && o.lossy {
		o.trouble = append(o.trouble, err.Error())
		return false
	}
	require.NoError(t, err)
	o.broker = broker
	o.starts++
	return true
}

// outage cuts the power at some moment of one of three kinds, and starts the broker again.
func (o *outages) outage(t *testing.T) bool {
	t.Helper()
	pause(t, 150*time.Millisecond)
	switch kind := rand.IntN(10); {
	case kind < 6:
		o.kinds["under load"]++
		o.powerLoss(t)
	case kind < 8:
		o.kinds["in a clean stop"]++
		require.NoError(t, o.broker.Ask())
		pause(t, 20*time.Millisecond)
		o.powerLoss(t)
	default:
		o.kinds["in a recovery"]++
		o.powerLoss(t)
		for range 1 + rand.IntN(3) {
			var err error
			o.broker, err = process.Launch(o.cfg)
			require.NoError(t, err)
			o.starts++
			pause(t, 120*time.Millisecond)
			o.powerLoss(t)
		}
	}
	return o.start(t)
}

func (o *outages) powerLoss(t *testing.T) {
	t.Helper()
	crash, err := o.disk.PowerLoss(o.broker)
	require.NoError(t, err)
	sum(&o.crash, crash)
}

func sum(total *simdisk.CrashReport, c simdisk.CrashReport) {
	total.InFlight += c.InFlight
	total.WrittenBack += c.WrittenBack
	total.OpsKept += c.OpsKept
	total.OpsDropped += c.OpsDropped
	total.OpsTorn += c.OpsTorn
	total.SectorsTorn += c.SectorsTorn
	total.SizesWithout += c.SizesWithout
	total.Recycled += c.Recycled
	total.NamesLost += c.NamesLost
	total.RenamesLost += c.RenamesLost
	total.RenamesDouble += c.RenamesDouble
	total.UnlinksLost += c.UnlinksLost
	total.DirsReordered += c.DirsReordered
}

func (o *outages) audit(
	t *testing.T, loads map[string]*process.Load, churn *process.Churn,
) map[string]process.Report {
	t.Helper()
	within := 2 * time.Minute
	if o.lossy { // what was lost is refused, or never comes
		within = 10 * time.Second
	}
	reports := map[string]process.Report{}
	for topic, load := range loads {
		ctx, cancel := context.WithTimeout(t.Context(), within)
		acked, err := load.Stop(ctx)
		cancel()
		if err != nil {
			require.True(t, o.lossy, "%s: %v", topic, err)
			o.trouble = append(o.trouble, topic+": "+err.Error())
		}
		ctx, cancel = context.WithTimeout(t.Context(), within)
		report, err := process.Audit(ctx, o.broker.Addr(), topic, acked)
		cancel()
		if err != nil {
			require.True(t, o.lossy, "%s: %v", topic, err)
			t.Logf("%s: %v", topic, err)
		}
		reports[topic] = report
	}
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	report, err := churn.Stop(ctx)
	if !o.lossy {
		require.NoError(t, err)
	}
	reports["churn"] = report
	for topic, r := range reports {
		if !r.OK() {
			o.trouble = slices.Insert(o.trouble, 0, r.First) // says most
		}
		t.Logf("%s, %s: %d acknowledged, %d read, %d lost, %d doubled", o.policy, topic, r.Acked, r.Read, r.Lost,
			r.Doubled)
	}
	return reports
}

// progress waits until the load has come on. A client whose acknowledged records were lost
// may be refused for good: where loss is looked for, that ends the cycles.
func (o *outages) progress(t *testing.T, made func() bool) bool {
	t.Helper()
	patience := 60 * time.Second
	if o.lossy {
		patience = 20 * time.Second
	}
	for end := time.Now().Add(patience); !made(); pause(t, 10*time.Millisecond) {
		if time.Now().After(end) {
			require.True(t, o.lossy, "no progress in %v", patience)
			o.trouble = append(o.trouble, "no record was acknowledged any more")
			return false
		}
	}
	return true
}

// pause puts the outage at any moment of the load: up to so much later.
func pause(t *testing.T, most time.Duration) {
	t.Helper()
	select {
	case <-time.After(rand.N(most)):
	case <-t.Context().Done():
	}
}
