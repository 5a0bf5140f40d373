package bundle

import (
	"bufio"
	"bytes"
	"compress/flate"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"io"

	smaller "github.com/klauspost/compress/flate" // by one per cent than the standard library's

	"github.com/banyan-lms/banyan/internal/blob"
)

// Kind says what a frame carries.
type Kind byte

// The kinds.
const (
	PublisherFrame Kind = 'P'
	TrustFrame     Kind = 'T'
	RootFrame      Kind = 'R'
	BlobFrame      Kind = 'B' // manifests below the root too
	endFrame       Kind = 'E'
)

// Frame is one thing that a carrier brings.
type Frame struct {
	Kind    Kind
	Payload []byte
}

// Carrier brings frames one after another, and io.EOF at an end that was meant.
type Carrier interface {
	Next() (Frame, error)
}

// magic are the first bytes inside the gzip stream.
const magic = "BANYAN1\n"

// gzipHeader stands in front of every pack: deflate, no name, no time, best compression, no system.
const gzipHeader = "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff"

// Writer writes a pack: frames in one gzip stream. The same frames give the same bytes.
type Writer struct {
	out     io.Writer
	deflate *smaller.Writer
	sum     hash.Hash32
	size    uint32
	frames  uint32
	tongue  tongue
	err     error
}

// tongue is how the bytes of a frame read. Digests, JSON and HTML each compress better under a code of their own, so a new deflate block begins
// where it changes.
type tongue byte

func tongueOf(f Frame) tongue {
	switch p := f.Payload; {
	case f.Kind != BlobFrame, bytes.HasPrefix(p, []byte(`{"type":"`)):
		return 'm'
	case bytes.HasPrefix(p, []byte("{")):
		return 'd'
	}
	return 'f'
}

// NewWriter begins a pack.
func NewWriter(w io.Writer) *Writer {
	pw := &Writer{out: w, sum: crc32.NewIEEE()}
	pw.deflate, pw.err = smaller.NewWriter(w, smaller.BestCompression)
	if pw.err == nil {
		_, pw.err = io.WriteString(w, gzipHeader)
	}
	pw.write([]byte(magic))
	return pw
}

func (w *Writer) write(p []byte) {
	if w.err == nil {
		_, w.err = w.deflate.Write(p)
		_, _ = w.sum.Write(p)
		w.size += uint32(len(p)) //nolint:gosec // gzip's own length wraps around too
	}
}

// Write adds a frame.
func (w *Writer) Write(f Frame) error {
	if len(f.Payload) > MaxFrame && w.err == nil {
		w.err = fmt.Errorf("a frame of %d bytes", len(f.Payload))
	}
	if t := tongueOf(f); w.err == nil && t != w.tongue && f.Kind != endFrame {
		if w.tongue != 0 {
			w.err = w.deflate.Flush()
		}
		w.tongue = t
	}
	w.write(binary.BigEndian.AppendUint32([]byte{byte(f.Kind)}, uint32(len(f.Payload)))) //nolint:gosec // checked above
	w.write(f.Payload)
	w.frames++
	return w.err
}

// Close writes the end.
func (w *Writer) Close() error {
	n := w.frames
	_ = w.Write(Frame{endFrame, binary.BigEndian.AppendUint32(nil, n)})
	if w.err != nil {
		return w.err
	}
	if w.err = w.deflate.Close(); w.err != nil {
		return w.err
	}
	end := binary.LittleEndian.AppendUint32(nil, w.sum.Sum32())
	_, w.err = w.out.Write(binary.LittleEndian.AppendUint32(end, w.size))
	return w.err
}

// WritePack writes a pack: the head's frames, then blobs in their order.
func WritePack(ctx context.Context, w io.Writer, head []Frame, blobs []blob.Digest, open Opener) error {
	pack := NewWriter(w)
	for _, f := range head {
		if err := pack.Write(f); err != nil {
			return err
		}
	}
	for _, d := range blobs {
		data, err := open(ctx, d)
		if err != nil {
			return err
		}
		if err := pack.Write(Frame{BlobFrame, data}); err != nil {
			return err
		}
	}
	return pack.Close()
}

// Reader reads a pack frame by frame. It holds one frame in memory, and grows it as bytes come, not as a length promises.
type Reader struct {
	in      *bufio.Reader
	inflate io.Reader
	sum     hash.Hash32
	size    uint32
	frames  uint32
	err     error
}

var _ Carrier = (*Reader)(nil)

// NewReader reads from r, which may stand anywhere: a file, a socket, a page's upload.
func NewReader(r io.Reader) *Reader {
	return &Reader{in: bufio.NewReader(r), sum: crc32.NewIEEE()}
}

// Next implements Carrier. io.EOF means that all was there and nothing more.
func (r *Reader) Next() (Frame, error) {
	if r.err != nil {
		return Frame{}, r.err
	}
	f, err := r.next()
	if err != nil {
		r.err = err
		return Frame{}, err
	}
	return f, nil
}

func (r *Reader) next() (Frame, error) {
	if r.inflate == nil {
		if err := r.open(); err != nil {
			return Frame{}, err
		}
	}
	head, err := r.take(5)
	if err != nil {
		return Frame{}, err
	}
	length := binary.BigEndian.Uint32(head[1:])
	if length > MaxFrame {
		return Frame{}, Damaged("a frame of %d bytes", length)
	}
	f := Frame{Kind: Kind(head[0])}
	switch f.Kind {
	case PublisherFrame, TrustFrame, RootFrame:
		if length > MaxSigned {
			return Frame{}, Damaged("a signed document of %d bytes", length)
		}
	case BlobFrame:
	case endFrame:
		if length != 4 {
			return Frame{}, Damaged("an end of %d bytes", length)
		}
	default:
		return Frame{}, Damaged("a frame of kind %q", head[0])
	}
	if f.Payload, err = r.take(int64(length)); err != nil {
		return Frame{}, err
	}
	if f.Kind != endFrame {
		r.frames++
		return f, nil
	}
	if n := binary.BigEndian.Uint32(f.Payload); n != r.frames {
		return Frame{}, Damaged("%d frames, and the end says %d", r.frames, n)
	}
	return Frame{}, r.end()
}

func (r *Reader) open() error {
	head, err := r.in.Peek(len(gzipHeader))
	if string(head) != gzipHeader[:len(head)] {
		return Refuse("not_a_bundle", errors.New("another header"))
	}
	if err != nil {
		return cut(err)
	}
	_, _ = r.in.Discard(len(gzipHeader))
	r.inflate = flate.NewReader(r.in)
	first, err := r.take(int64(len(magic)))
	if err != nil {
		return err
	}
	if string(first) != magic {
		return Refuse("not_a_bundle", errors.New("gzip of something else"))
	}
	return nil
}

// take reads so many bytes of the stream.
func (r *Reader) take(n int64) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r.inflate, n))
	_, _ = r.sum.Write(data)
	r.size += uint32(len(data)) //nolint:gosec // gzip's own length wraps around too
	if err != nil {
		return nil, cut(err)
	}
	if int64(len(data)) < n {
		return nil, Damaged("the stream ends inside a frame")
	}
	return data, nil
}

// end checks that nothing follows the last frame, and what gzip says of the whole.
func (r *Reader) end() error {
	switch n, err := r.inflate.Read(make([]byte, 1)); {
	case n > 0:
		return Damaged("something follows the end")
	case !errors.Is(err, io.EOF):
		return cut(err)
	}
	var tail [8]byte
	if _, err := io.ReadFull(r.in, tail[:]); err != nil {
		return cut(err)
	}
	if binary.LittleEndian.Uint32(tail[:]) != r.sum.Sum32() || binary.LittleEndian.Uint32(tail[4:]) != r.size {
		return Damaged("the checksum is another")
	}
	switch _, err := r.in.ReadByte(); {
	case err == nil:
		return Damaged("something follows the pack")
	case !errors.Is(err, io.EOF):
		return err
	}
	return io.EOF
}

// cut names what ended a stream: it was too short, it was wrong, or the reader below failed.
func cut(err error) error {
	var wrong flate.CorruptInputError
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return Refuse("truncated", io.ErrUnexpectedEOF) // never io.EOF: that is an end that was meant
	case errors.As(err, &wrong):
		return Refuse("damaged", err)
	}
	return err
}
