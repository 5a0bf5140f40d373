package middleware

// wellFormed tells whether text is one JSON value (RFC 8259) and nothing after
// it, and whether it nests deeper than maxDepth, where it stops reading. It agrees with json.Valid,
// which takes several times as long; the text must be UTF-8.
func wellFormed(text []byte) (ok, tooDeep bool) {
	s := jsonScan{text: text}
	s.space()
	ok = s.value(0)
	s.space()
	return ok && s.at == len(text), s.tooDeep
}

type jsonScan struct {
	text    []byte
	at      int
	tooDeep bool
}

// next is the byte at hand, 0 at the end: no value may hold that byte bare.
func (s *jsonScan) next() byte {
	if s.at < len(s.text) {
		return s.text[s.at]
	}
	return 0
}

func (s *jsonScan) take(c byte) bool {
	if s.next() != c {
		return false
	}
	s.at++
	return true
}

func (s *jsonScan) space() {
	for s.at < len(s.text) {
		switch s.text[s.at] {
		case ' ', '\t', '\n', '\r':
			s.at++
		default:
			return
		}
	}
}

func (s *jsonScan) value(depth int) bool {
	switch c := s.next(); c {
	case '"':
		return s.str()
	case '{', '[':
		if depth == maxDepth {
			s.tooDeep = true
			return false
		}
		return s.members(c, depth+1)
	case 't':
		return s.word("true")
	case 'f':
		return s.word("false")
	case 'n':
		return s.word("null")
	}
	return s.number()
}

// members reads an object or an array from its opening bracket.
func (s *jsonScan) members(open byte, depth int) bool {
	end := open + 2 // ASCII has it so: { } and [ ]
	s.at++
	s.space()
	if s.take(end) {
		return true
	}
	for {
		if open == '{' {
			if !s.str() {
				return false
			}
			s.space()
			if !s.take(':') {
				return false
			}
			s.space()
		}
		if !s.value(depth) {
			return false
		}
		s.space()
		if s.take(end) {
			return true
		}
		if !s.take(',') {
			return false
		}
		s.space()
	}
}

func (s *jsonScan) str() bool {
	if !s.take('"') {
		return false
	}
	for s.at < len(s.text) {
		c := s.text[s.at]
		s.at++
		switch {
		case c == '"':
			return true
		case c < ' ':
			return false
		case c == '\\' && !s.escape():
			return false
		}
	}
	return false
}

func (s *jsonScan) escape() bool {
	c := s.next()
	s.at++
	switch c {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return true
	case 'u':
		for range 4 {
			c := s.next() | 0x20 // lower case; digits have this bit already
			if (c < '0' || c > '9') && (c < 'a' || c > 'f') || s.next() < '0' {
				return false
			}
			s.at++
		}
		return true
	}
	return false
}

func (s *jsonScan) number() bool {
	s.take('-')
	if !s.take('0') && !s.digits() {
		return false
	}
	if s.take('.') && !s.digits() {
		return false
	}
	if s.take('e') || s.take('E') {
		if !s.take('+') {
			s.take('-')
		}
		return s.digits()
	}
	return true
}

func (s *jsonScan) digits() bool {
	from := s.at
	for c := s.next(); c >= '0' && c <= '9'; c = s.next() {
		s.at++
	}
	return s.at > from
}

func (s *jsonScan) word(w string) bool {
	if end := s.at + len(w); end <= len(s.text) && string(s.text[s.at:end]) == w {
		s.at = end
		return true
	}
	return false
}
