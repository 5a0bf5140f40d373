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
	var e Epoch
	var own int64
	if len(ins) == 0 {
		out.Answers = l.answers
		e, _, err = s.Store.FindEpoch(ctx, by.UserID, device, b.Epoch)
	} else {
		err = s.Store.InTx(ctx, func(tx Store) (err error) {
			if err := tx.LockLearners(ctx, by.UserID); err != nil {
				return err
			}
			out.Answers = slices.Clone(l.answers)
			e, own, err = s.keep(ctx, tx, by, b, l, out.Answers)
			return err
		})
	}
	if err != nil {
		return Synced{}, err
	}
	out.Epoch, out.Known = e.Number, e.Known
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
		out.Current = err == nil && sent.arrival+own == now.arrival && sent.enrollments == now.enrollments
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
	e, err := s.advance(ctx, tx, by.UserID, DeviceID(b.Device), p.from, p.placed[b.Epoch])
	if err == nil && p.into.Number != b.Epoch {
		e, err = s.advance(ctx, tx, by.UserID, DeviceID(b.Device), p.into, p.placed[p.into.Number])
	}
	return e, int64(len(fresh)), err
}

// places is where the statements of a batch belong.
type places struct {
	from     Epoch // in which the batch was sent
	into     Epoch // in which the device is now
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
	p := places{stamps: map[StatementID]Stamp{}, placed: map[int][]int{}}
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
	var last int
	if p.from, last, err = tx.FindEpoch(ctx, user, device, b.Epoch); err != nil {
		return p, err
	}
	p.into, last = p.from, max(last, b.Epoch)
	// at is where this device has been told that a statement is.
	at := func(id StatementID) (Stamp, bool) {
		if k, ok := kept[id]; ok && k.UserID == user && k.Device == device {
			return k.Stamp, true
		}
		st, ok := answered[id]
		return st, ok
	}
	// A device whose answer was lost on the way does not know yet that it was given another epoch.
	newest := b.Epoch
	for _, id := range ids {
		if st, ok := at(id); ok {
			newest = max(newest, st.Epoch)
		}
	}
	next := 1
	if newest != b.Epoch {
		if p.into, _, err = tx.FindEpoch(ctx, user, device, newest); err != nil {
			return p, err
		}
		next = p.into.Highest + 1
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
		if p.into.Number == b.Epoch {
			holder, occupied := taken[in.Sequence]
			if occupied && holder == id {
				continue
			}
			if occupied {
				p.into, next = Epoch{Number: last + 1}, 1
			}
		}
		if p.into.Number != b.Epoch {
			if _, elsewhere := kept[id]; elsewhere || id == "" {
				continue // what the device numbers anew it will not number among these
			}
			sent.Epoch, sent.Sequence = p.into.Number, next
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

// advance tells how far an epoch is known, now that some more of its sequences have been placed.
func (s *Service) advance(ctx context.Context, tx Store, user identity.UserID, d DeviceID, e Epoch, placed []int) (Epoch, error) {
	if len(placed) == 0 {
		return e, nil
	}
	slices.Sort(placed)
	gaps := e.Highest > e.Known
	e.Highest = max(e.Highest, placed[len(placed)-1])
	for more := placed; len(more) > 0; {
		if gaps {
			var err error
			if more, err = tx.ListSequences(ctx, user, d, e.Number, e.Known, sequencesAtOnce); err != nil {
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
