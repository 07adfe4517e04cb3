package privacy

import "testing"

// BenchmarkRedact measures the values of a usual refusal.
func BenchmarkRedact(b *testing.B) {
	values := [][]byte{
		[]byte("GET"), []byte("/api/v2/orders/8812/items"), []byte("page=2&sort=-created_at&filter=open"), []byte("https://shop.example/cart/checkout?step=2"),
		[]byte("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36"), []byte("192.0.2.17"), []byte("jane"),
	}
	var buf []byte
	b.ReportAllocs()
	for b.Loop() {
		for _, v := range values {
			buf = Redact(buf[:0], v)
		}
	}
}
