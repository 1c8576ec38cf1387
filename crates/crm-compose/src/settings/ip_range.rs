//! Ranges of addresses in CIDR form.

use std::net::IpAddr;

use super::problem::Fault;

/// `203.0.113.0/24`, `2001:db8::/32`, or one address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IpRange {
    network: IpAddr,
    prefix: u32,
}

impl IpRange {
    /// The host part may hold anything; it is cut.
    pub fn parse(text: &str) -> Result<Self, Fault> {
        let fault = || Fault::NotARange {
            given: text.to_owned(),
        };
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let network: IpAddr = address.trim().parse().map_err(|_| fault())?;
        let most = bits(network);
        let prefix = prefix.map_or(Ok(most), |digits| digits.trim().parse().map_err(|_| fault()))?;
        if prefix > most {
            return Err(fault());
        }
        Ok(Self { network, prefix })
    }

    /// Whether the address lies in it; an IPv4 address mapped into IPv6 counts as IPv4.
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        if bits(address) != bits(self.network) {
            return false;
        }
        let shift = bits(self.network) - self.prefix;
        shift >= 128 || (number(address) >> shift) == (number(self.network) >> shift)
    }
}

fn bits(address: IpAddr) -> u32 {
    if address.is_ipv4() { 32 } else { 128 }
}

fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => u128::from(u32::from(v4)),
        IpAddr::V6(v6) => u128::from(v6),
    }
}

#[cfg(test)]
mod tests {
    use super::IpRange;

    #[test]
    fn ranges_hold_their_addresses() {
        for (range, address, inside) in [
            ("203.0.113.0/24", "203.0.113.77", true),
            ("203.0.113.0/24", "203.0.114.1", false),
            ("203.0.113.9", "203.0.113.9", true),
            ("203.0.113.9", "203.0.113.8", false),
            ("127.0.0.0/8", "::ffff:127.0.0.1", true),
            ("0.0.0.0/0", "8.8.8.8", true),
            ("::/0", "2001:db8::1", true),
            ("::/0", "8.8.8.8", false),
            ("2001:db8::/32", "2001:db9::", false),
        ] {
            let range_value = IpRange::parse(range).unwrap();
            assert_eq!(
                range_value.contains(address.parse().unwrap()),
                inside,
                "{range} {address}"
            );
        }
        for bad in ["", "x", "1.2.3.4/33", "::/129", "1.2.3.4/-1", "1.2.3.4/"] {
            assert!(IpRange::parse(bad).is_err(), "{bad}");
        }
    }
}
