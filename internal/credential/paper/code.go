package paper

import (
	"fmt"

	"github.com/boombuler/barcode/qr"
)

// AddressCode is the QR code of an address: what stands on the paper of a
// credential that has no code of its own, for which one needs a network.
func AddressCode(address string) ([][]bool, error) {
	drawn, err := qr.Encode(address, qr.Q, qr.Auto)
	if err != nil {
		return nil, fmt.Errorf("draw a code: %w", err)
	}
	rows := make([][]bool, drawn.Bounds().Dy())
	for y := range rows {
		rows[y] = make([]bool, drawn.Bounds().Dx())
		for x := range rows[y] {
			r, _, _, _ := drawn.At(x, y).RGBA()
			rows[y][x] = r == 0
		}
	}
	return rows, nil
}
