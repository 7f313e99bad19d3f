//! Persistent reservations: who has registered, who holds, and whom that keeps from what.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use autochanger_scsi::{
    AdditionalSense, ChangerCommand, FieldPointer, InvalidField, PersistentReserveIn,
    PersistentReserveInAction, PersistentReserveOut, PersistentReserveOutAction, PersistentReserveParameters,
    ReservationCapabilities, ReservationHolder, ReservationKeys, ReservationRegistration, ReservationStatus,
    ReservationType, Sense, Status, TapeCommand,
};

use crate::answer::{Answer, Nexus, Unit, illegal, transfer, written};
use crate::changer::bad_bit;
use crate::device::Device;
use crate::nexus::MAX_PORT_NAME;
use crate::task::Work;

/// Initiators that can be registered with one logical unit: as many as real libraries have room for.
const MAX_REGISTRATIONS: usize = 64;
/// Bytes of the answer to READ FULL STATUS for that many: a header, then 24 bytes and a name each.
const FULL_STATUS_BUFFER: usize = 8 + MAX_REGISTRATIONS * (24 + MAX_TRANSPORT_ID);
/// Bytes of a TransportID of iSCSI: a header of four, and a name with a zero behind it, in a multiple of four.
const MAX_TRANSPORT_ID: usize = 4 + MAX_PORT_NAME + 4;
/// The least that such a TransportID has (SPC-4 7.6.4.6).
const MIN_TRANSPORT_ID: usize = 24;

const PREEMPTED: AdditionalSense = AdditionalSense { asc: 0x2A, ascq: 0x03 };
const RELEASED: AdditionalSense = AdditionalSense { asc: 0x2A, ascq: 0x04 };
const REGISTRATION_PREEMPTED: AdditionalSense = AdditionalSense { asc: 0x2A, ascq: 0x05 };

/// The reservation in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Held {
    by: Nexus,
    kind: ReservationType,
}

impl Held {
    /// All that are registered hold it.
    fn by_all(self) -> bool {
        matches!(self.kind, ReservationType::WriteExclusiveAll | ReservationType::ExclusiveAccessAll)
    }

    /// Those that are registered are not kept from anything.
    fn spares_registered(self) -> bool {
        !matches!(self.kind, ReservationType::WriteExclusive | ReservationType::ExclusiveAccess)
    }
}

/// Registrations and the reservation of one logical unit.
#[derive(Debug, Default)]
pub(crate) struct Registry {
    generation: u32,
    keys: BTreeMap<Nexus, u64>,
    held: Option<Held>,
}

/// The registries, by logical unit.
pub(crate) type Registries = BTreeMap<u16, Registry>;

/// Why PERSISTENT RESERVE OUT is not done.
enum Refusal {
    Conflict,
    Sense(Sense),
}

impl Registry {
    fn holds(&self, nexus: Nexus) -> bool {
        self.held.is_some_and(|held| held.by == nexus || (held.by_all() && self.keys.contains_key(&nexus)))
    }

    /// The reservation that a nexus has to respect.
    fn against(&self, nexus: Nexus) -> Option<ReservationType> {
        let held = self.held.filter(|_| !self.holds(nexus))?;
        (!(held.spares_registered() && self.keys.contains_key(&nexus))).then_some(held.kind)
    }

    /// Ends the registration of a nexus, and its reservation with it; who else has to be told that it is released.
    fn unregister(&mut self, nexus: Nexus) -> Vec<Nexus> {
        let held = self.held;
        self.keys.remove(&nexus);
        let ends =
            held.is_some_and(|held| if held.by_all() { self.keys.is_empty() } else { held.by == nexus });
        if !ends {
            return Vec::new();
        }
        self.held = None;
        if held.is_some_and(Held::spares_registered) {
            self.keys.keys().copied().collect()
        } else {
            Vec::new()
        }
    }

    pub(crate) fn forget(&mut self, nexus: Nexus) {
        self.unregister(nexus);
    }

    pub(crate) fn knows(&self, nexus: Nexus) -> bool {
        self.keys.contains_key(&nexus)
    }
}

/// Whether a reservation of this type keeps other initiators from a command. As TS4500 has it: element status and
/// mode pages can be read, ALLOW is let through.
fn keeps_from(kind: ReservationType, work: &Work) -> bool {
    let exclusive = matches!(
        kind,
        ReservationType::ExclusiveAccess
            | ReservationType::ExclusiveAccessRegistrants
            | ReservationType::ExclusiveAccessAll
    );
    match work {
        Work::Motion { .. } => true,
        Work::Changer(command) => match command {
            ChangerCommand::PreventAllowMediumRemoval(command) => command.prevent,
            ChangerCommand::OpenCloseImportExport(_)
            | ChangerCommand::SendVolumeTag(_)
            | ChangerCommand::RequestVolumeElementAddress(_)
            | ChangerCommand::WriteAttribute(_) => true,
            ChangerCommand::LogSense(_) | ChangerCommand::ReadAttribute(_) => exclusive,
            _ => false,
        },
        Work::Tape(_, command) => match command {
            TapeCommand::PreventAllowMediumRemoval(command) => command.prevent,
            TapeCommand::LoadUnload(_)
            | TapeCommand::Rewind(_)
            | TapeCommand::Locate10(_)
            | TapeCommand::Write6(_)
            | TapeCommand::WriteFilemarks6(_)
            | TapeCommand::WriteAttribute(_) => true,
            TapeCommand::Read6(_)
            | TapeCommand::ReadPosition(_)
            | TapeCommand::LogSense(_)
            | TapeCommand::ReadAttribute(_) => exclusive,
            _ => false,
        },
    }
}

impl Device {
    /// Whether another initiator's reservation is in the way of a command (SPC-4 5.13).
    pub(crate) fn reserved_against(&self, unit: Unit, work: &Work) -> bool {
        let kind = self.service.registries.get(&unit.lun).and_then(|registry| registry.against(unit.nexus));
        kind.is_some_and(|kind| keeps_from(kind, work))
    }

    pub(crate) fn reserve_in(&self, unit: Unit, command: PersistentReserveIn, room: u32) -> Answer {
        let none = Registry::default();
        let registry = self.service.registries.get(&unit.lun).unwrap_or(&none);
        let generation = registry.generation;
        let data = written(FULL_STATUS_BUFFER, |buffer| match command.action {
            PersistentReserveInAction::ReadKeys => {
                ReservationKeys::write(generation, registry.keys.values().copied(), buffer)
            }
            PersistentReserveInAction::ReadReservation => {
                let holder = registry.held.map(|held| ReservationHolder {
                    key: if held.by_all() { 0 } else { registry.keys.get(&held.by).copied().unwrap_or(0) },
                    scope: 0,
                    kind: held.kind.code(),
                });
                ReservationHolder::write(generation, holder, buffer)
            }
            PersistentReserveInAction::ReportCapabilities => {
                let all = ReservationType::ALL.iter();
                let capabilities =
                    all.fold(ReservationCapabilities::default(), |it, kind| it.with_type(*kind));
                let bytes = capabilities.to_bytes();
                buffer.iter_mut().zip(bytes).for_each(|(to, from)| *to = from);
                bytes.len()
            }
            PersistentReserveInAction::ReadFullStatus => {
                let names: Vec<_> = registry.keys.keys().map(|nexus| self.transport_id(*nexus)).collect();
                let registrations =
                    registry.keys.iter().zip(&names).map(|((nexus, key), name)| ReservationRegistration {
                        key: *key,
                        all_target_ports: false,
                        holds: registry.holds(*nexus),
                        scope: 0,
                        kind: registry.held.filter(|_| registry.holds(*nexus)).map_or(0, |it| it.kind.code()),
                        target_port: 1,
                        initiator: name,
                    });
                ReservationStatus::write(generation, registrations, buffer)
            }
        });
        transfer(data, u32::from(command.allocation), room)
    }

    pub(crate) fn reserve_out(
        &mut self,
        unit: Unit,
        command: PersistentReserveOut,
        list: &[u8],
    ) -> Result<Answer, Sense> {
        let parameters = match PersistentReserveParameters::parse(list) {
            Ok(parameters) if command.length as usize == PersistentReserveParameters::LENGTH => parameters,
            // PARAMETER LIST LENGTH ERROR.
            _ => return Err(illegal(0x1A, 0x00)),
        };
        let unsupported =
            [(parameters.specify_initiators, 3), (parameters.all_target_ports, 2), (parameters.persist, 0)];
        if let Some((_, bit)) = unsupported.into_iter().find(|(set, _)| *set) {
            let pointer = FieldPointer { command: false, byte: 20, bit: Some(bit) };
            return Err(illegal(0x26, 0x00).with_field_pointer(pointer));
        }
        match self.change_registry(unit, command, parameters) {
            Ok(()) => Ok(Answer::good()),
            Err(Refusal::Conflict) => Ok(Answer::status(Status::ReservationConflict)),
            Err(Refusal::Sense(sense)) => Err(sense),
        }
    }

    fn change_registry(
        &mut self,
        unit: Unit,
        command: PersistentReserveOut,
        parameters: PersistentReserveParameters,
    ) -> Result<(), Refusal> {
        let Unit { nexus, lun } = unit;
        let registry = self.service.registries.entry(lun).or_default();
        let registered = registry.keys.get(&nexus).copied();
        let PersistentReserveParameters { key, service_action_key: service_key, .. } = parameters;
        let registers = matches!(
            command.action,
            PersistentReserveOutAction::Register | PersistentReserveOutAction::RegisterAndIgnore
        );
        let ignores = command.action == PersistentReserveOutAction::RegisterAndIgnore;
        if !ignores && registered.unwrap_or(0) != key || !registers && registered.is_none() {
            return Err(Refusal::Conflict);
        }
        match command.action {
            PersistentReserveOutAction::Register | PersistentReserveOutAction::RegisterAndIgnore => {
                if service_key == 0 {
                    if registered.is_some() {
                        registry.generation = registry.generation.wrapping_add(1);
                    }
                    let released = registry.unregister(nexus);
                    self.tell(lun, released, nexus, RELEASED);
                } else if registered.is_none() && registry.keys.len() == MAX_REGISTRATIONS {
                    // INSUFFICIENT REGISTRATION RESOURCES.
                    return Err(Refusal::Sense(illegal(0x55, 0x04)));
                } else {
                    registry.keys.insert(nexus, service_key);
                    registry.generation = registry.generation.wrapping_add(1);
                }
            }
            PersistentReserveOutAction::Reserve => {
                let kind = wanted(command)?;
                match registry.held {
                    None => registry.held = Some(Held { by: nexus, kind }),
                    Some(held) if held.kind == kind && registry.holds(nexus) => {}
                    Some(_) => return Err(Refusal::Conflict),
                }
            }
            PersistentReserveOutAction::Release => {
                let Some(held) = registry.held.filter(|_| registry.holds(nexus)) else { return Ok(()) };
                if held.kind.code() != command.kind || command.scope != 0 {
                    // INVALID RELEASE OF PERSISTENT RESERVATION.
                    return Err(Refusal::Sense(illegal(0x26, 0x04)));
                }
                registry.held = None;
                if held.spares_registered() {
                    let others = registry.keys.keys().copied().collect();
                    self.tell(lun, others, nexus, RELEASED);
                }
            }
            PersistentReserveOutAction::Clear => {
                let others = registry.keys.keys().copied().collect();
                registry.keys.clear();
                registry.held = None;
                registry.generation = registry.generation.wrapping_add(1);
                self.tell(lun, others, nexus, PREEMPTED);
            }
            PersistentReserveOutAction::Preempt | PersistentReserveOutAction::PreemptAndAbort => {
                let removed = registry.preempt(nexus, service_key, command)?;
                if command.action == PersistentReserveOutAction::PreemptAndAbort {
                    self.abandon(|task| task.unit.lun == lun && removed.contains(&task.unit.nexus), true);
                }
                self.tell(lun, removed, nexus, REGISTRATION_PREEMPTED);
            }
            PersistentReserveOutAction::RegisterAndMove => {
                return Err(Refusal::Sense(bad_bit(1, 4)));
            }
        }
        Ok(())
    }

    /// A TransportID of iSCSI (SPC-4 7.6.4.6), also for an initiator that has no name.
    fn transport_id(&self, nexus: Nexus) -> Vec<u8> {
        /// iSCSI as PROTOCOL IDENTIFIER.
        const ISCSI: u8 = 0x05;
        /// FORMAT CODE 01b: the name of a port, with the session's part.
        const PORT: u8 = 0x40;
        let name = match self.nexuses.name_of(nexus) {
            Some(name) => name.into(),
            None => alloc::format!("sim.nexus.{}", nexus.0),
        };
        let format = if name.contains(",i,0x") { PORT } else { 0 };
        let mut id = alloc::vec![format | ISCSI, 0, 0, 0];
        id.extend_from_slice(name.as_bytes());
        // A zero ends the name.
        id.resize((id.len() + 1).next_multiple_of(4).max(MIN_TRANSPORT_ID), 0);
        let length = u16::try_from(id.len() - 4).unwrap_or(u16::MAX);
        id.splice(2..4, length.to_be_bytes());
        id
    }

    /// Leaves a unit attention for some nexuses, but not for the one that caused it.
    fn tell(&mut self, lun: u16, whom: Vec<Nexus>, except: Nexus, code: AdditionalSense) {
        for nexus in whom.into_iter().filter(|nexus| *nexus != except) {
            self.nexuses.post_to(Unit { nexus, lun }, code);
        }
    }
}

impl Registry {
    /// Removes whoever registered with a key, and takes over their reservation; who has been removed.
    fn preempt(
        &mut self,
        nexus: Nexus,
        service_key: u64,
        command: PersistentReserveOut,
    ) -> Result<Vec<Nexus>, Refusal> {
        let by_all = self.held.is_some_and(Held::by_all);
        if service_key == 0 && !by_all {
            return Err(Refusal::Sense(illegal(0x26, 0x00)));
        }
        let everyone = by_all && service_key == 0;
        let holder_falls = self
            .held
            .is_some_and(|held| everyone || (!by_all && self.keys.get(&held.by) == Some(&service_key)));
        let hit = |key: &u64| everyone || *key == service_key;
        if !self.keys.values().any(hit) {
            return Err(Refusal::Conflict);
        }
        let kind = if holder_falls { Some(wanted(command)?) } else { None };
        let removed: Vec<_> =
            self.keys.iter().filter(|(of, key)| **of != nexus && hit(key)).map(|(of, _)| *of).collect();
        self.keys.retain(|of, _| !removed.contains(of));
        if let Some(kind) = kind {
            self.held = Some(Held { by: nexus, kind });
        }
        self.generation = self.generation.wrapping_add(1);
        Ok(removed)
    }
}

/// The type asked for, of the whole logical unit.
fn wanted(command: PersistentReserveOut) -> Result<ReservationType, Refusal> {
    if command.scope != 0 {
        return Err(Refusal::Sense(bad_bit(2, 7)));
    }
    let invalid = Sense::invalid_field(InvalidField { byte: 2, bit: Some(3) });
    ReservationType::from_code(command.kind).ok_or(Refusal::Sense(invalid))
}
