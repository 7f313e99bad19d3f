use crate::bytes::{Sink, bit_at, slice_at, u8_at, u16_at, u32_at, u64_at};
use crate::{ReservationType, ShortData};

/// Bytes before the first entry: generation and length.
const HEADER: usize = 8;
/// Bytes of a reservation.
const RESERVATION: usize = 16;
/// Bytes of a registration in the full status before its initiator's name.
const REGISTRATION: usize = 24;

fn announced(data: &[u8]) -> u32 {
    u32_at(data, 4).unwrap_or(0)
}

fn entries(data: &[u8]) -> &[u8] {
    slice_at(data, HEADER, usize::try_from(announced(data)).unwrap_or(usize::MAX))
}

/// Writes generation and length, then what `body` puts in.
fn write(generation: u32, buffer: &mut [u8], body: impl FnOnce(&mut Sink<'_>)) -> usize {
    let mut sink = Sink::new(buffer);
    sink.put(&generation.to_be_bytes());
    sink.put(&[0; 4]);
    body(&mut sink);
    let length = u32::try_from(sink.total() - HEADER).unwrap_or(u32::MAX);
    sink.patch(4, &length.to_be_bytes());
    sink.written()
}

/// The answer to READ KEYS.
#[derive(Clone, Copy, Debug)]
#[doc(alias = "READ KEYS")]
pub struct ReservationKeys<'a> {
    data: &'a [u8],
}

impl<'a> ReservationKeys<'a> {
    /// Reads the data.
    ///
    /// # Errors
    /// [`ShortData`] if the header of eight bytes is not whole.
    pub fn parse(data: &'a [u8]) -> Result<Self, ShortData> {
        ShortData::check(data, HEADER)?;
        Ok(Self { data })
    }

    /// PRGENERATION: counts changes of registrations.
    pub fn generation(&self) -> u32 {
        u32_at(self.data, 0).unwrap_or(0)
    }

    /// The keys, one for each registered initiator and port; several may be alike.
    pub fn keys(&self) -> impl Iterator<Item = u64> + use<'a> {
        entries(self.data).chunks_exact(8).filter_map(|entry| u64_at(entry, 0))
    }

    /// Whether there are more than were transferred.
    pub fn is_truncated(&self) -> bool {
        u32::try_from(entries(self.data).len()).is_ok_and(|got| got < announced(self.data))
    }

    /// Writes the data as a target does; returns how many bytes are in `buffer`. The length in it is that of the
    /// whole list.
    pub fn write(generation: u32, keys: impl IntoIterator<Item = u64>, buffer: &mut [u8]) -> usize {
        write(generation, buffer, |sink| {
            for key in keys {
                sink.put(&key.to_be_bytes());
            }
        })
    }
}

/// The answer to READ RESERVATION, if there is a reservation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[doc(alias = "READ RESERVATION")]
pub struct ReservationHolder {
    /// The key of the holder; 0 if all registered hold it.
    pub key: u64,
    /// 0: the logical unit; 2, an element, is obsolete.
    pub scope: u8,
    /// What it keeps others from, in the codes of [`ReservationType`].
    pub kind: u8,
}

impl ReservationHolder {
    /// Reads the data: PRGENERATION, and the reservation if there is one that is whole.
    ///
    /// # Errors
    /// [`ShortData`] if the header of eight bytes is not whole.
    pub fn parse(data: &[u8]) -> Result<(u32, Option<Self>), ShortData> {
        ShortData::check(data, HEADER)?;
        let entry = entries(data);
        let holder = u64_at(entry, 0).zip(u8_at(entry, 13)).map(|(key, kind)| Self {
            key,
            scope: kind >> 4,
            kind: kind & 0x0F,
        });
        Ok((u32_at(data, 0).unwrap_or(0), holder))
    }

    /// The type; `None` for one that is obsolete or unknown.
    pub fn reservation_type(&self) -> Option<ReservationType> {
        ReservationType::from_code(self.kind)
    }

    /// Writes the data as a target does; returns how many bytes are in `buffer`.
    pub fn write(generation: u32, holder: Option<Self>, buffer: &mut [u8]) -> usize {
        write(generation, buffer, |sink| {
            let Some(holder) = holder else { return };
            let mut entry = [0; RESERVATION];
            let mut fields = Sink::new(&mut entry);
            fields.put(&holder.key.to_be_bytes());
            fields.fill(0, 5);
            fields.put(&[holder.scope << 4 | holder.kind & 0x0F]);
            sink.put(&entry);
        })
    }
}

/// The answer to REPORT CAPABILITIES.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[doc(alias = "REPORT CAPABILITIES")]
pub struct ReservationCapabilities {
    /// CRH: RESERVE and RELEASE of a holder succeed.
    pub compatible: bool,
    /// SIP_C: initiators can be specified.
    pub specify_initiators: bool,
    /// ATP_C: all ports can be registered at once.
    pub all_target_ports: bool,
    /// PTPL_C: registrations can persist through a loss of power.
    pub can_persist: bool,
    /// PTPL_A: they do.
    pub persists: bool,
    types: Option<u16>,
}

/// The bit of each reservation type in the type mask.
const TYPE_BITS: [(ReservationType, u16); 6] = [
    (ReservationType::WriteExclusiveAll, 0x8000),
    (ReservationType::ExclusiveAccessRegistrants, 0x4000),
    (ReservationType::WriteExclusiveRegistrants, 0x2000),
    (ReservationType::ExclusiveAccess, 0x0800),
    (ReservationType::WriteExclusive, 0x0200),
    (ReservationType::ExclusiveAccessAll, 0x0001),
];

fn type_bit(kind: ReservationType) -> u16 {
    TYPE_BITS.iter().find(|(of, _)| *of == kind).map_or(0, |(_, bit)| *bit)
}

impl ReservationCapabilities {
    /// Bytes of the data.
    pub const LENGTH: usize = 8;

    /// Reads the data.
    ///
    /// # Errors
    /// [`ShortData`] if there are fewer than six bytes.
    pub fn parse(data: &[u8]) -> Result<Self, ShortData> {
        ShortData::check(data, 6)?;
        Ok(Self {
            compatible: bit_at(data, 2, 4),
            specify_initiators: bit_at(data, 2, 3),
            all_target_ports: bit_at(data, 2, 2),
            can_persist: bit_at(data, 2, 0),
            persists: bit_at(data, 3, 0),
            types: bit_at(data, 3, 7).then(|| u16_at(data, 4).unwrap_or(0)),
        })
    }

    /// Whether a type can be reserved; `None` if the device does not tell (TMV).
    pub fn supports(&self, kind: ReservationType) -> Option<bool> {
        self.types.map(|types| types & type_bit(kind) != 0)
    }

    /// Tells of a type that it can be reserved.
    #[must_use]
    pub fn with_type(mut self, kind: ReservationType) -> Self {
        self.types = Some(self.types.unwrap_or(0) | type_bit(kind));
        self
    }

    /// The data as a target sends it.
    pub fn to_bytes(&self) -> [u8; Self::LENGTH] {
        let flags = u8::from(self.compatible) << 4
            | u8::from(self.specify_initiators) << 3
            | u8::from(self.all_target_ports) << 2
            | u8::from(self.can_persist);
        let state = u8::from(self.types.is_some()) << 7 | u8::from(self.persists);
        let [high, low] = self.types.unwrap_or(0).to_be_bytes();
        [0, Self::LENGTH as u8, flags, state, high, low, 0, 0]
    }
}

/// One registration in the answer to READ FULL STATUS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ReservationRegistration<'a> {
    /// Its key.
    pub key: u64,
    /// ALL_TG_PT: it holds for all ports.
    pub all_target_ports: bool,
    /// R_HOLDER: it holds the reservation.
    pub holds: bool,
    /// 0: the logical unit. It counts only for a holder.
    pub scope: u8,
    /// The type in the codes of [`ReservationType`]. It counts only for a holder.
    pub kind: u8,
    /// The number of the port that it holds for.
    pub target_port: u16,
    /// TransportID: who registered.
    pub initiator: &'a [u8],
}

/// The answer to READ FULL STATUS.
#[derive(Clone, Copy, Debug)]
#[doc(alias = "READ FULL STATUS")]
pub struct ReservationStatus<'a> {
    data: &'a [u8],
}

impl<'a> ReservationStatus<'a> {
    /// Reads the data.
    ///
    /// # Errors
    /// [`ShortData`] if the header of eight bytes is not whole.
    pub fn parse(data: &'a [u8]) -> Result<Self, ShortData> {
        ShortData::check(data, HEADER)?;
        Ok(Self { data })
    }

    /// PRGENERATION.
    pub fn generation(&self) -> u32 {
        u32_at(self.data, 0).unwrap_or(0)
    }

    /// The registrations; a last one that is cut is left out.
    pub fn registrations(&self) -> impl Iterator<Item = ReservationRegistration<'a>> + use<'a> {
        let mut rest = entries(self.data);
        core::iter::from_fn(move || {
            let length = usize::try_from(u32_at(rest, 20)?).ok()?;
            let end = REGISTRATION.checked_add(length)?;
            let initiator = rest.get(REGISTRATION..end)?;
            let kind = u8_at(rest, 13)?;
            let registration = ReservationRegistration {
                key: u64_at(rest, 0)?,
                all_target_ports: bit_at(rest, 12, 1),
                holds: bit_at(rest, 12, 0),
                scope: kind >> 4,
                kind: kind & 0x0F,
                target_port: u16_at(rest, 18)?,
                initiator,
            };
            rest = rest.get(end..)?;
            Some(registration)
        })
    }

    /// Writes the data as a target does; returns how many bytes are in `buffer`.
    pub fn write<'r>(
        generation: u32,
        registrations: impl IntoIterator<Item = ReservationRegistration<'r>>,
        buffer: &mut [u8],
    ) -> usize {
        write(generation, buffer, |sink| {
            for it in registrations {
                sink.put(&it.key.to_be_bytes());
                let flags = u8::from(it.all_target_ports) << 1 | u8::from(it.holds);
                sink.put(&[0, 0, 0, 0, flags, it.scope << 4 | it.kind & 0x0F, 0, 0, 0, 0]);
                sink.put(&it.target_port.to_be_bytes());
                sink.put(&u32::try_from(it.initiator.len()).unwrap_or(u32::MAX).to_be_bytes());
                sink.put(it.initiator);
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use super::*;

    #[test]
    fn keys_are_listed_with_their_generation() {
        let data = [0, 0, 0, 5, 0, 0, 0, 16, 0, 0, 0, 0, 0, 0, 0, 0xAB, 1, 2, 3, 4, 5, 6, 7, 8];
        let keys = ReservationKeys::parse(&data).expect("header");
        assert_eq!((keys.generation(), keys.is_truncated()), (5, false));
        assert_eq!(keys.keys().collect::<Vec<_>>(), [0xAB, 0x0102_0304_0506_0708]);
        let mut buffer = [0xEE; 24];
        assert_eq!(ReservationKeys::write(5, [0xAB, 0x0102_0304_0506_0708], &mut buffer), 24);
        assert_eq!(buffer, data);
        let cut = ReservationKeys::parse(&data[..20]).expect("header");
        assert_eq!((cut.keys().count(), cut.is_truncated()), (1, true));
    }

    #[test]
    fn there_is_a_reservation_or_none() {
        assert_eq!(ReservationHolder::parse(&[0, 0, 0, 7, 0, 0, 0, 0]), Ok((7, None)));
        let data = [0, 0, 0, 7, 0, 0, 0, 16, 0, 0, 0, 0, 0, 0, 0xAB, 0xCD, 0, 0, 0, 0, 0, 0x03, 0, 0];
        let holder = ReservationHolder { key: 0xABCD, scope: 0, kind: 3 };
        assert_eq!(ReservationHolder::parse(&data), Ok((7, Some(holder))));
        assert_eq!(holder.reservation_type(), Some(ReservationType::ExclusiveAccess));
        assert_eq!(ReservationHolder { kind: 2, ..holder }.reservation_type(), None);
        let mut buffer = [0xEE; 24];
        assert_eq!(ReservationHolder::write(7, Some(holder), &mut buffer), 24);
        assert_eq!(buffer, data);
        assert_eq!(ReservationHolder::parse(&data[..7]), Err(ShortData { needed: 8, got: 7 }));
    }

    #[test]
    fn capabilities_tell_types_only_where_the_mask_is_valid() {
        let data = [0, 8, 0x1D, 0x81, 0xEA, 0x01, 0, 0];
        let all = ReservationCapabilities::parse(&data).expect("whole");
        for kind in ReservationType::ALL {
            assert_eq!(all.supports(*kind), Some(true), "{kind:?}");
        }
        assert!(all.compatible && all.specify_initiators && all.all_target_ports);
        assert!(all.can_persist && all.persists);
        assert_eq!(all.to_bytes(), data);
        let unsaid = ReservationCapabilities::parse(&[0, 8, 0, 0, 0xFF, 0xFF, 0, 0]).expect("whole");
        assert_eq!(unsaid.supports(ReservationType::WriteExclusive), None);
        let one = ReservationCapabilities::default().with_type(ReservationType::WriteExclusive);
        assert_eq!(one.to_bytes(), [0, 8, 0, 0x80, 0x02, 0x00, 0, 0]);
        assert_eq!(one.supports(ReservationType::ExclusiveAccess), Some(false));
    }

    #[test]
    fn the_full_status_names_each_initiator() {
        let first = ReservationRegistration {
            key: 1,
            all_target_ports: false,
            holds: true,
            scope: 0,
            kind: 5,
            target_port: 1,
            initiator: b"\x05\x00\x00\x04iqn1",
        };
        let second =
            ReservationRegistration { key: 2, all_target_ports: true, holds: false, initiator: &[], ..first };
        let mut buffer = [0xEE; 64];
        let length = ReservationStatus::write(9, [first, second], &mut buffer);
        assert_eq!(length, 8 + 24 + 8 + 24);
        assert_eq!(buffer[4..8], [0, 0, 0, 56]);
        assert_eq!(buffer[16..32], [0, 0, 0, 0, 1, 0x05, 0, 0, 0, 0, 0, 1, 0, 0, 0, 8]);
        let status = ReservationStatus::parse(&buffer).expect("header");
        assert_eq!(
            (status.generation(), status.registrations().collect::<Vec<_>>()),
            (9, [first, second].into())
        );
        assert_eq!(ReservationStatus::parse(&buffer[..63]).expect("header").registrations().count(), 1);
    }
}
