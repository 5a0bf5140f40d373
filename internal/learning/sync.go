package learning

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/banyan-lms/banyan/internal/fault"
	"github.com/banyan-lms/banyan/internal/identity"
	"github.com/banyan-lms/banyan/internal/learning/wire"
)

// Synced is where a device stands after Sync.
type Synced struct {
	Answers []Answer
	Epoch   int // to use from now on
	Known   int // every sequence of it up to here has been answered
	Cursor  string
	// Current says that whoever has pulled up to the cursor that it sent has everything up to the new one.
	Current bool
	// Behind says that this server knows less than the device believes: it was restored from a backup.
	Behind bool
	At     time.Time
}

// Sync takes what a device has waiting. As with Append, each statement is answered by itself; besides,
// each keeps the place that the device has given it. A place that is taken by another statement says that the device was
// restored or cloned: this statement and all after it get places in a new epoch, which is the device's from now on. The whole
// batch is stored or none of it, and nothing changes when it comes again.
func (s *Service) Sync(ctx context.Context, by identity.Actor, body json.RawMessage) (Synced, error) {
	if err := mayAppend(by); err != nil {
		return Synced{}, err
	}
	b, err := wire.ReadBatch(body)
	if err != nil {
		return Synced{}, err
	}
	if len(b.Statements) > MaxBatch {
		return Synced{}, batchSize()
	}
	if b.Cursor != "" {
		if _, ok := parseCursor(b.Cursor); !ok {
			return Synced{}, fault.New(fault.Invalid, "request.invalid").At(fault.Detail{Pointer: "/cursor", Key: "request.bad_cursor"})
		}
	}
	return s.sync(ctx, by, b, false)
}

// sync takes a batch that could be read. It is marked when it comes from a device that had been revoked.
func (s *Service) sync(ctx context.Context, by identity.Actor, b wire.Batch, revoked bool) (Synced, error) {
	ins, device := b.Statements, DeviceID(b.Device)
	l, err := s.look(ctx, by, ins, b.Bad)
	if err != nil {
		return Synced{}, err
	}
	for i := range l.answers {
		// The enrollment may be one that a server restored from a backup has forgotten.
		if a := &l.answers[i]; a.Fault != nil && a.Fault.Key == "enrollment.not_found" {
			a.Status = Deferred
		}
	}
	for i := range l.sts {
		l.sts[i].Result.AfterRevocation = revoked
	}
	out := Synced{Epoch: b.Epoch, At: s.Now()}
	var before, own int64
	keep := func(tx Store) error {
		out.Answers, own = slices.Clone(l.answers), 0
		e, _, err := tx.FindEpoch(ctx, by.UserID, device, b.Epoch)
		if len(ins) > 0 {
			e, own, err = s.keep(ctx, tx, by, b, l, out.Answers)
		}
		out.Epoch, out.Known = e.Number, e.Known
		return err
	}
	if len(ins) == 0 {
		err = keep(s.Store)
	} else {
		err = s.Store.InTx(ctx, func(tx Store) (err error) {
			if err = tx.LockLearners(ctx, by.UserID); err != nil {
				return err
			}
			if before, err = tx.CountArrived(ctx, by.UserID); err != nil {
				return err
			}
			return keep(tx)
		})
	}
	if err != nil {
		return Synced{}, err
	}
	out.Behind = out.Epoch == b.Epoch && out.Known < b.Acknowledged
	now, err := s.cursor(ctx, by.UserID)
	if err != nil {
		return Synced{}, err
	}
	out.Cursor = now.String()
	if b.Cursor != "" {
		sent, err := s.find(ctx, by.UserID, b.Cursor)
		if err != nil && !fault.Is(err, fault.NotFound) {
			return Synced{}, err
		}
		// What is not the device's own, it has not seen: course completed, say, or what another device has sent meanwhile.
		upTo := sent.arrival
		if len(ins) > 0 && upTo == before {
			upTo += own
		}
		out.Current = err == nil && upTo == now.arrival && sent.enrollments == now.enrollments
	}
	return out, nil
}

// keep puts a batch into the record. The learner is locked. It gives the epoch that the
// device is in, and how many statements were new.
func (s *Service) keep(ctx context.Context, tx Store, by identity.Actor, b wire.Batch, l looked, answers []Answer) (Epoch, int64, error) {
	left, err := s.settleDraws(ctx, tx, by, l, answers)
	if err != nil {
		return Epoch{}, 0, err
	}
	ids := make([]StatementID, 0, len(l.ins))
	for i := range l.ins {
		if wire.IsV7(l.ins[i].ID) {
			ids = append(ids, StatementID(l.ins[i].ID))
		}
	}
	kept, err := tx.FindKept(ctx, ids)
	if err != nil {
		return Epoch{}, 0, err
	}
	repeat(answers, kept, by)
	p, err := s.place(ctx, tx, by.UserID, b, ids, answers, kept)
	if err != nil {
		return Epoch{}, 0, err
	}
	news := make([]Statement, 0, len(left))
	for _, st := range left {
		if _, known := kept[st.ID]; !known {
			st.Stamp = p.stamps[st.ID]
			news = append(news, st)
		}
	}
	fresh, err := s.record(ctx, tx, news)
	if err != nil {
		return Epoch{}, 0, err
	}
	if len(fresh) != len(news) { // somebody else has used one of the ids in this moment
		return Epoch{}, 0, fault.New(fault.Unavailable, "server.unavailable")
	}
	if err := tx.AddReceipts(ctx, by.UserID, p.receipts); err != nil {
		return Epoch{}, 0, err
	}
	e, err := s.advance(ctx, tx, by.UserID, DeviceID(b.Device), b.Epoch, p.placed[b.Epoch])
	if err == nil && p.into != b.Epoch {
		e, err = s.advance(ctx, tx, by.UserID, DeviceID(b.Device), p.into, p.placed[p.into])
	}
	return e, int64(len(fresh)), err
}

// places is where the statements of a batch belong.
type places struct {
	into     int // the epoch that the device is in now
	stamps   map[StatementID]Stamp
	receipts []Receipt
	placed   map[int][]int // by epoch
}

// place finds a place for each statement of a batch that has none yet, and for each that will have none an entry that says that it
// has been answered: without it the device would be asked for it for ever.
func (s *Service) place(ctx context.Context, tx Store, user identity.UserID, b wire.Batch, ids []StatementID,
	answers []Answer, kept map[StatementID]Kept,
) (places, error) {
	ins, device := b.Statements, DeviceID(b.Device)
	p := places{into: b.Epoch, stamps: map[StatementID]Stamp{}, placed: map[int][]int{}}
	answered, err := tx.FindReceipts(ctx, user, device, ids)
	if err != nil {
		return p, err
	}
	sequences := make([]int, 0, len(ins))
	for i := range ins {
		if ins[i].Sequence > 0 {
			sequences = append(sequences, ins[i].Sequence)
		}
	}
	taken, err := tx.ListTaken(ctx, user, device, b.Epoch, sequences)
	if err != nil {
		return p, err
	}
	_, last, err := tx.FindEpoch(ctx, user, device, b.Epoch)
	if err != nil {
		return p, err
	}
	last = max(last, b.Epoch)
	// at is where this device has been told that a statement is.
	at := func(id StatementID) (Stamp, bool) {
		if k, ok := kept[id]; ok && k.UserID == user && k.Device == device {
			return k.Stamp, true
		}
		st, ok := answered[id]
		return st, ok
	}
	// A device whose answer was lost on the way does not know yet that it was given another epoch.
	for _, id := range ids {
		if st, ok := at(id); ok {
			p.into = max(p.into, st.Epoch)
		}
	}
	next := 1
	if p.into != b.Epoch {
		e, _, err := tx.FindEpoch(ctx, user, device, p.into)
		if err != nil {
			return p, err
		}
		next = e.Highest + 1
	}
	for i := range ins {
		in, a := &ins[i], &answers[i]
		if in.Sequence == 0 || a.Status == Deferred {
			continue
		}
		id := StatementID("")
		if wire.IsV7(in.ID) {
			id = StatementID(in.ID)
		}
		sent := Stamp{Device: device, Epoch: b.Epoch, Sequence: in.Sequence}
		stamp, known := at(id)
		if known && (stamp == sent || stamp.Epoch > b.Epoch) {
			if a.Status == Accepted { // rejected before, and by now it is right
				p.stamps[id] = stamp
			}
			if stamp != sent {
				a.Stamp = stamp
			}
			continue
		}
		if first, again := p.stamps[id]; again && (first == sent || first.Epoch != b.Epoch) {
			if first != sent {
				a.Stamp = first
			}
			continue // twice in one batch
		}
		if p.into == b.Epoch {
			holder, occupied := taken[in.Sequence]
			if occupied && holder == id {
				continue
			}
			if occupied {
				p.into, next = last+1, 1
			}
		}
		if p.into != b.Epoch {
			if _, elsewhere := kept[id]; elsewhere || id == "" {
				continue // what the device numbers anew it will not number among these
			}
			sent.Epoch, sent.Sequence = p.into, next
			a.Stamp = sent
			next++
		} else {
			taken[in.Sequence] = id
		}
		p.placed[sent.Epoch] = append(p.placed[sent.Epoch], sent.Sequence)
		if a.Status == Accepted {
			p.stamps[id] = sent
		} else {
			p.receipts = append(p.receipts, Receipt{Stamp: sent, ID: id})
		}
	}
	return p, nil
}

// sequencesAtOnce is how many are read to find the first that is missing.
const sequencesAtOnce = 1000

// advance tells how far an epoch is known, now that some sequences have been placed.
func (s *Service) advance(ctx context.Context, tx Store, user identity.UserID, d DeviceID, epoch int, placed []int) (Epoch, error) {
	e, _, err := tx.FindEpoch(ctx, user, d, epoch)
	if err != nil || len(placed) == 0 {
		return e, err
	}
	slices.Sort(placed)
	gaps := e.Highest > e.Known
	e.Highest = max(e.Highest, placed[len(placed)-1])
	for more := placed; len(more) > 0; {
		if gaps {
			if more, err = tx.ListSequences(ctx, user, d, epoch, e.Known, sequencesAtOnce); err != nil {
				return e, err
			}
		}
		from := e.Known
		for _, n := range more {
			if n > e.Known+1 {
				break
			}
			e.Known = max(e.Known, n)
		}
		if !gaps || e.Known == from {
			break
		}
	}
	return e, tx.KeepEpoch(ctx, user, d, e)
}
