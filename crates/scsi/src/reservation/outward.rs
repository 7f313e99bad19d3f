use crate::ShortData;
use crate::bytes::{Sink, bit_at, u64_at};

/// The parameter list of PERSISTENT RESERVE OUT, for all actions but REGISTER AND MOVE.
///
/// Displays and logs should leave the keys out: whoever knows a key can take a reservation away.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct PersistentReserveParameters {
    /// The key under which this initiator is registered; 0 if it is not.
    pub key: u64,
    /// The key to register, or whose registrations are to be preempted.
    pub service_action_key: u64,
    /// SPEC_I_PT: register the initiators listed, too.
    pub specify_initiators: bool,
    /// ALL_TG_PT: register through all ports of the device.
    pub all_target_ports: bool,
    /// APTPL: keep registrations through a loss of power.
    pub persist: bool,
}

impl PersistentReserveParameters {
    /// Bytes of the list.
    pub const LENGTH: usize = 24;

    /// Reads the list as a target does.
    ///
    /// # Errors
    /// [`ShortData`] if there are fewer than 24 bytes: PARAMETER LIST LENGTH ERROR (05/1A/00).
    pub fn parse(data: &[u8]) -> Result<Self, ShortData> {
        ShortData::check(data, Self::LENGTH)?;
        let key = |at| u64_at(data, at).unwrap_or(0);
        Ok(Self {
            key: key(0),
            service_action_key: key(8),
            specify_initiators: bit_at(data, 20, 3),
            all_target_ports: bit_at(data, 20, 2),
            persist: bit_at(data, 20, 0),
        })
    }

    /// The list.
    pub fn to_bytes(&self) -> [u8; Self::LENGTH] {
        let mut bytes = [0; Self::LENGTH];
        let mut sink = Sink::new(&mut bytes);
        sink.put(&self.key.to_be_bytes());
        sink.put(&self.service_action_key.to_be_bytes());
        let flags = u8::from(self.specify_initiators) << 3
            | u8::from(self.all_target_ports) << 2
            | u8::from(self.persist);
        sink.put(&[0, 0, 0, 0, flags, 0, 0, 0]);
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parameter_list_is_read_as_it_was_written() {
        let parameters = PersistentReserveParameters {
            key: 0x0102_0304_0506_0708,
            service_action_key: 0x1112_1314_1516_1718,
            specify_initiators: true,
            all_target_ports: false,
            persist: true,
        };
        let bytes = parameters.to_bytes();
        assert_eq!(
            bytes,
            [1, 2, 3, 4, 5, 6, 7, 8, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18, 0, 0, 0, 0, 9, 0, 0, 0]
        );
        assert_eq!(PersistentReserveParameters::parse(&bytes), Ok(parameters));
        let all_ports =
            PersistentReserveParameters { all_target_ports: true, ..PersistentReserveParameters::default() };
        assert_eq!(PersistentReserveParameters::parse(&all_ports.to_bytes()), Ok(all_ports));
        assert_eq!(PersistentReserveParameters::parse(&bytes[..23]), Err(ShortData { needed: 24, got: 23 }));
    }
}
