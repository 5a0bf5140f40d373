package code

import "strings"

// Base45 (RFC 9285): bytes in the letters that QR codes hold best.
const letters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"

func encode45(raw []byte) string {
	var b strings.Builder
	b.Grow((len(raw) + 1) / 2 * 3)
	for len(raw) > 0 {
		n, digits := int(raw[0]), 2
		if len(raw) > 1 {
			n, digits = n<<8|int(raw[1]), 3
		}
		for range digits {
			b.WriteByte(letters[n%45])
			n /= 45
		}
		raw = raw[digits-1:]
	}
	return b.String()
}

// decode45 takes nothing but what encode45 writes.
func decode45(text string) ([]byte, error) {
	if len(text)%3 == 1 {
		return nil, ErrBase45
	}
	out := make([]byte, 0, len(text)/3*2+1)
	for len(text) > 0 {
		digits := min(3, len(text))
		n := 0
		for i := digits - 1; i >= 0; i-- {
			d := strings.IndexByte(letters, text[i])
			if d < 0 {
				return nil, ErrBase45
			}
			n = n*45 + d
		}
		if n > 1<<(8*(digits-1))-1 {
			return nil, ErrBase45
		}
		if digits == 3 {
			out = append(out, byte(n>>8))
		}
		out = append(out, byte(n))
		text = text[digits:]
	}
	return out, nil
}
