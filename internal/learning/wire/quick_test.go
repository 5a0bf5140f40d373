package wire

import (
	"reflect"
	"testing"
)

const plainStatement = `{"id":"019a0000-0000-7000-8000-000000000001","enrollment_id":"e","verb":"answered","object_id":"q","at":"2026-03-01T09:00:00Z",
	"responses":{"a":"x","b":["y", "z"],"c":{"l":"r"},"d":80.5,"e":null}}`

func TestQuickBatchReadsWhatDevicesSend(t *testing.T) {
	ins, ok := quickBatch([]byte(" [ " + plainStatement + " , {\"id\":\"2\",\"verb\":\"started\"} , {} ] \n"))
	if !ok || len(ins) != 3 || ins[0].Verb != "answered" || string(ins[0].Responses["b"]) != `["y", "z"]` || ins[1].ID != "2" {
		t.Errorf("read %v, %t", ins, ok)
	}
}

// encoding/json is the judge of everything that quickBatch accepts.
func FuzzQuickBatch(f *testing.F) {
	for _, s := range []string{
		`[]`, `[{}]`, `[` + plainStatement + `]`, `[` + plainStatement + `,` + plainStatement + `]`, `[` + plainStatement + `,]`, `[` + plainStatement + `] x`,
		`[{"ID":"1"}]`, `[{"id":1}]`, `[{"id":null}]`, `[{"id":"a","id":"b"}]`, `[{"id":"\u0041"}]`, `[{"id":"é"}]`, `[{"other":1}]`, `[{"responses":null}]`,
		`[{"attempt":1}]`, `[{"sequence":7,"attempt":0}]`, `[{"attempt":01}]`, `[{"attempt":-1}]`, `[{"attempt":1.0}]`, `[{"attempt":1e2}]`, `[{"attempt":123456789}]`, `[{"attempt":1234567890}]`, `[{"attempt":1,"attempt":2}]`, `[{"attempt":null}]`,
		`[{"responses":{}}]`, `[{"responses":{}},{"responses":[]}]`, `[{"responses":{"a":1},"responses":{"b":2}}]`, `[{"responses":{"a":tru}}]`, `[{"responses":{]}]`,
		`[{"responses":5}]`, `[{"responses":"}"}]`, `[{"responses":{"}":1}}]`, `[{"id":"a"`, `[{"id"`, `{}`, `null`, `[{"responses":{"a":{"b":[1,2,{"c":"d"}]}}}]`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, batch []byte) {
		quick, ok := quickBatch(batch)
		if !ok {
			return
		}
		var want []Statement
		if err := strictly(batch, &want); err != nil {
			t.Fatalf("%q was read, encoding/json says %v", batch, err)
		}
		if !reflect.DeepEqual(quick, want) {
			t.Errorf("%q: read %v, encoding/json %v", batch, quick, want)
		}
	})
}
