package detect

import (
	"cmp"
	"iter"
	"math"
	"net/netip"
	"slices"
	"strings"
)

// Bits of the prefixes that are taken to be one network. A subscriber or a virtual
// machine has a /64 of IPv6 at least (RFC 6177), so that its addresses cost nothing; a
// /24 is the smallest network of IPv4 that is routed on its own.
const (
	networkBits6 = 64
	networkBits4 = 24
	// networkLeast6 is the minimum number of addresses of a /64 that are folded: it is
	// one subscriber's.
	networkLeast6 = 2
)

// networkOf returns the network of an address, or of one of its networks; false if the
// text is none, such as a pseudonym.
func networkOf(address string) (netip.Prefix, bool) {
	if strings.Contains(address, "/") {
		p, err := netip.ParsePrefix(address)
		return p, err == nil
	}
	a, err := netip.ParseAddr(address)
	if err != nil {
		return netip.Prefix{}, false
	}
	bits := networkBits6
	if a = a.Unmap().WithZone(""); a.Is4() {
		bits = networkBits4
	}
	p, err := a.Prefix(bits)
	return p, err == nil
}

// commonNetwork returns the network that two addresses or networks are in, "" if they
// are in several.
func commonNetwork(a, b string) string {
	p, ok := networkOf(a)
	q, okToo := networkOf(b)
	if !ok || !okToo || p != q {
		return ""
	}
	return p.String()
}

// networkKey returns the key by which units are folded by network: the network and the
// user agent of the client. It returns false if the address is in no known network.
func (x *folder) networkKey(u *unit) (string, bool) {
	p, ok := networkOf(u.Subject.ClientAddress)
	return p.String() + "\x00" + u.Subject.UserAgent, ok
}

// leastOf returns the minimum number of addresses of a network that are taken together.
func leastOf(network netip.Prefix) int {
	if network.Addr().Is6() {
		return networkLeast6
	}
	return foldLeast
}

// sameNetwork folds the units of a network if there are several.
func (x *folder) sameNetwork(units []int) []foldGroup {
	first := &x.units[units[0]]
	p, _ := networkOf(first.Subject.ClientAddress)
	least := leastOf(p)
	if first.Kind == unauthenticatedProbe.Name && first.Subject.UserAgent != "" {
		least = foldArea // the nodes of one monitor or balancer
	}
	if len(units) < least {
		return nil
	}
	return []foldGroup{{units: units}}
}

// originOf returns the network of all of some refusals, "" if they are of several.
func (d *Diagnosis) originOf(refusals iter.Seq[uint32]) string {
	common, first := "", true
	last := uint32(0)
	for _, r := range d.Refusals.Of(refusals) {
		address := r.Address
		switch {
		case first:
			first = false
			if p, ok := networkOf(d.State.Addresses[address]); ok {
				common = p.String()
			}
		case address != last:
			common = commonNetwork(common, d.State.Addresses[address])
		}
		if last = address; common == "" {
			break
		}
	}
	return common
}

// sameAttack folds accounts that the same networks guess at: each joins the attack that
// has most of its networks, if that are at least half of them.
func (x *folder) sameAttack(units []int) []foldGroup {
	units = slices.Clone(units)
	slices.SortFunc(units, func(i, j int) int {
		a, b := &x.units[i], &x.units[j]
		return cmp.Or(cmp.Compare(a.Onset, b.Onset), cmp.Compare(a.ID, b.ID))
	})
	attackOf := map[netip.Prefix]int{} // the latest with each network
	var groups []foldGroup
	for _, i := range units {
		networks := map[netip.Prefix]bool{}
		last := uint32(math.MaxUint32)
		for _, r := range x.d.Refusals.Of(x.units[i].packed.each) {
			address := r.Address
			if address == last {
				continue
			}
			last = address
			if p, ok := networkOf(x.d.State.Addresses[address]); ok {
				networks[p] = true
			}
		}
		hits := map[int]int{}
		best := -1
		for p := range networks {
			if g, ok := attackOf[p]; ok {
				hits[g]++
			}
		}
		for g, n := range hits {
			if 2*n >= len(networks) && (best < 0 || n > hits[best] || n == hits[best] && g < best) {
				best = g
			}
		}
		if best < 0 {
			best = len(groups)
			groups = append(groups, foldGroup{})
		}
		groups[best].units = append(groups[best].units, i)
		for p := range networks {
			attackOf[p] = best
		}
	}
	return largestFirst(groups)
}

const (
	// togetherPart is the part of an attack within which those that belong to it begin, and
	// end, after each other; togetherLeast and togetherMost bound it, in microseconds.
	togetherPart  = 10
	togetherLeast = 2 * 60_000_000
	togetherMost  = 30 * 60_000_000
	// togetherGroups is how many groups an attacker is compared with, the latest ones.
	togetherGroups = 64
	// togetherTries bounds how many times as many refusals the greatest of them has.
	togetherTries = 3
)

// attackerKey returns false for units that are not about one attacker.
func attackerKey(u *unit) (string, bool) {
	return "", u.Category == string(AttackCategory) && u.Subject.Type == "client"
}

// sameTimes folds attackers that begin and end at the same times and do about as much, which
// independent ones do not. Those that go on from the beginning of the log to its end, or for
// an instant, show nothing.
func (x *folder) sameTimes(units []int) []foldGroup {
	units = slices.Clone(units)
	slices.SortFunc(units, func(i, j int) int {
		a, b := &x.units[i], &x.units[j]
		return cmp.Or(cmp.Compare(a.FirstSeen, b.FirstSeen), cmp.Compare(a.ID, b.ID))
	})
	var groups []foldGroup
	for _, i := range units {
		u := &x.units[i]
		slack := min(max((u.LastSeen-u.FirstSeen)/togetherPart, togetherLeast), togetherMost)
		if u.FirstSeen == u.LastSeen || u.FirstSeen-x.d.From*1000 <= slack && x.d.To*1000-u.LastSeen <= slack {
			continue
		}
		first := max(0, len(groups)-togetherGroups)
		at := slices.IndexFunc(groups[first:], func(g foldGroup) bool {
			v := &x.units[g.units[0]]
			n, m := u.packed.n, v.packed.n
			return u.FirstSeen-v.FirstSeen <= slack && max(u.LastSeen-v.LastSeen, v.LastSeen-u.LastSeen) <= slack && max(n, m) <= togetherTries*min(n, m)
		})
		if at < 0 {
			at = len(groups) - first
			groups = append(groups, foldGroup{})
		}
		groups[first+at].units = append(groups[first+at].units, i)
	}
	return largestFirst(groups)
}

// largestFirst returns the groups of several units, the largest first.
func largestFirst(groups []foldGroup) []foldGroup {
	groups = slices.DeleteFunc(groups, func(g foldGroup) bool { return len(g.units) < foldLeast })
	slices.SortStableFunc(groups, func(a, b foldGroup) int { return cmp.Compare(len(b.units), len(a.units)) })
	return groups
}
