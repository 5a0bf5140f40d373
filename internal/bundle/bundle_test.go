package bundle_test

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"hash/crc32"
)

// gzipped is a gzip stream with the header of a bundle around anything.
func gzipped(data []byte) []byte {
	var b bytes.Buffer
	writeGzip(&b, data, flate.BestCompression)
	return b.Bytes()
}

func writeGzip(b *bytes.Buffer, data []byte, level int) {
	b.WriteString("\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff")
	w, err := flate.NewWriter(b, level)
	if err != nil {
		panic(err)
	}
	_, _ = w.Write(data)
	_ = w.Close()
	_, _ = b.Write(binary.LittleEndian.AppendUint32(nil, crc32.ChecksumIEEE(data)))
	_, _ = b.Write(binary.LittleEndian.AppendUint32(nil, uint32(len(data))))
}
