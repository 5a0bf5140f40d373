package po_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/banyan-lms/banyan/internal/curriculum/po"
)

// BenchmarkReader reads a large module entry by entry.
func BenchmarkReader(b *testing.B) {
	var text bytes.Buffer
	for i := range 10_000 {
		s := fmt.Sprintf("In week %d the farmers look at the leaves and write down what they see, and then they \"compare\".", i)
		q := strings.ReplaceAll(s, `"`, `\"`)
		fmt.Fprintf(&text, "\n#. Heading\n#: lessons/a.md:%d\nmsgctxt \"k%06d\"\nmsgid \"%s\"\nmsgstr \"× %s\"\n", i, i, q, q)
	}
	b.SetBytes(int64(text.Len()))
	b.ReportAllocs()
	for b.Loop() {
		r := po.NewReader("x.po", bytes.NewReader(text.Bytes()))
		var d po.Digester
		n := 0
		for {
			e, err := r.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				b.Fatal(err)
			}
			d.Add(&e)
			n++
		}
		if n != 10_000 || d.Sum() == "" {
			b.Fatal(n)
		}
	}
}
