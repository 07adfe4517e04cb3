package detect

import (
	"cmp"
	"net/netip"
	"slices"

	"logscan/analyze/result"
)

// origin is where tries of credentials come from: an address, or a network whose
// addresses try little each and much together.
type origin struct {
	address uint32       // the address, or the first of the network that failed
	network netip.Prefix // not valid for an address
	failed  int          // failed tries, about
}

// shared reports whether many subscribers share the origin, as they do a network of IPv4.
func (x origin) shared() bool { return x.network.IsValid() && x.network.Addr().Is4() }

// subject returns the subject of an attack from there.
func (x origin) subject(d *Diagnosis) result.Subject {
	if x.network.IsValid() {
		return result.Subject{Type: "client", ClientAddress: x.network.String()}
	}
	return d.clientSubject(x.address)
}

// from returns the address that stands for the origin of an address: in a network, a
// subscriber may have another address on each day.
func (o *guessObserver) from(address uint32) uint32 {
	if place := o.address[address] - 1; place >= 0 {
		return o.origins[place].address
	}
	return address
}

// crowd is the failed tries in a network.
type crowd struct {
	first     uint32 // address
	addresses int
	tries     int
}

// follow sets the origins: some addresses, which fail often enough alone, and the networks
// whose other addresses do together. An address of IPv6 costs nothing, so that all of
// those of a network are looked at together. tries is by address.
func (o *guessObserver) follow(alone []uint32, tries []int) {
	o.address = places(alone, len(tries))
	networks := o.crowds(tries)
	place := make(map[netip.Prefix]int32, len(networks))
	for _, a := range alone {
		if p, ok := networkOf(o.d.State.Addresses[a]); !ok || !p.Addr().Is6() || networks[p] == nil {
			o.origins = append(o.origins, origin{address: a, failed: tries[a]})
			o.address[a] = int32(len(o.origins))
		}
	}
	for _, p := range largestCrowds(networks) {
		o.origins = append(o.origins, origin{networks[p].first, p, networks[p].tries})
		place[p] = int32(len(o.origins))
	}
	if len(place) == 0 {
		return
	}
	for a, text := range o.d.State.Addresses {
		if p, ok := networkOf(text); ok && (o.address[a] == 0 || p.Addr().Is6()) && place[p] != 0 {
			o.address[a] = place[p]
		}
	}
}

// crowds returns the networks that fail often enough, without the addresses of IPv4 that
// are followed alone.
func (o *guessObserver) crowds(tries []int) map[netip.Prefix]*crowd {
	all := map[netip.Prefix]*crowd{}
	for a, n := range tries {
		if n == 0 {
			continue
		}
		p, ok := networkOf(o.d.State.Addresses[a])
		if !ok || o.address[a] != 0 && p.Addr().Is4() {
			continue
		}
		c := all[p]
		if c == nil {
			c = &crowd{first: uint32(a)}
			all[p] = c
		}
		c.addresses++
		c.tries += n
	}
	for p, c := range all {
		if c.tries < guessAddress || c.addresses < leastOf(p) {
			delete(all, p)
		}
	}
	return all
}

// largestCrowds returns the networks in an order that depends on the set alone, at most
// maxGuessed: those with most failures.
func largestCrowds(networks map[netip.Prefix]*crowd) []netip.Prefix {
	list := make([]netip.Prefix, 0, len(networks))
	for p := range networks {
		list = append(list, p)
	}
	slices.SortFunc(list, func(p, q netip.Prefix) int {
		return cmp.Or(cmp.Compare(networks[q].tries, networks[p].tries), p.Compare(q))
	})
	return list[:min(len(list), maxGuessed)]
}
