//! Which body runs on which bed. What a bed lacks is stated here and looked for there: a bed that gains or loses a
//! capability fails the test until this table says so.

use super::need::Need::{self, *};

/// What a bed does with a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It runs there.
    Runs,
    /// The bed lacks something that the body needs.
    Lacks(Need),
}
use Verdict::{Lacks, Runs};

/// A body, what the simulator does with it, what tgt does, and what the virtual library does: the simulator behind our
/// own target.
pub(crate) type Row = (&'static str, Verdict, Verdict, Verdict);

pub(crate) const TABLE: &[Row] = &[
    // body                                                            simulator  tgt              virtual library
    ("the_standard_inquiry_says_what_it_is",                           Runs,      Runs,            Runs),
    ("the_vital_pages_are_listed_and_can_be_read",                     Runs,      Runs,            Runs),
    ("a_short_allocation_gives_the_beginning",                         Runs,      Runs,            Runs),
    ("unit_attentions_are_told_and_then_over",                         Runs,      Runs,            Runs),
    ("request_sense_tells_that_nothing_is_wrong",                      Runs,      Runs,            Runs),
    ("the_units_are_listed_and_each_answers",                          Runs,      Runs,            Runs),
    ("an_unknown_command_is_refused",                                  Runs,      Runs,            Runs),
    ("an_unknown_vital_page_is_refused",                               Runs,      Runs,            Runs),
    ("both_mode_senses_give_the_same_geometry",                        Runs,      Runs,            Runs),
    ("the_geometry_agrees_with_the_elements",                          Runs,      Runs,            Runs),
    ("storage_can_hold_cartridges_and_they_can_be_brought_to_drives",  Runs,      Runs,            Runs),
    ("each_element_type_is_reported_by_itself",                        Runs,      Runs,            Runs),
    ("reading_in_chunks_equals_reading_at_once",                       Runs,      Runs,            Runs),
    ("a_report_from_the_middle_begins_there",                          Runs,      Runs,            Runs),
    ("tags_come_when_they_are_asked_for_and_only_then",                Runs,      Runs,            Runs),
    ("what_is_known_is_told_without_motion",                           Runs,      Runs,            Runs),
    ("drives_are_named_by_their_serial_numbers",                       Runs,      Runs,            Runs),
    ("a_cartridge_goes_to_another_slot_and_back",                      Runs,      Runs,            Runs),
    ("a_cartridge_goes_to_a_drive_and_back",                           Runs,      Runs,            Runs),
    ("a_cartridge_goes_to_a_mail_slot_and_back",                       Runs,      Runs,            Runs),
    ("a_drive_becomes_ready_with_a_cartridge_and_not_ready_without",   Runs,      Runs,            Runs),
    ("an_empty_source_is_refused_and_nothing_moves",                   Runs,      Runs,            Runs),
    ("a_full_destination_is_refused_and_nothing_moves",                Runs,      Runs,            Runs),
    ("an_unknown_element_is_refused_and_nothing_moves",                Runs,      Runs,            Runs),
    ("an_exchange_moves_two_cartridges",                               Runs,      Lacks(Exchange), Runs),
    ("the_arm_is_positioned_and_moves_nothing",                        Runs,      Lacks(Position), Runs),
    ("a_locked_door_does_not_hinder_the_arm",                          Runs,      Lacks(Prevent),  Runs),
    ("a_scan_finds_what_was_there",                                    Runs,      Runs,            Runs),
    ("a_scan_of_a_range_finds_what_was_there",                         Runs,      Runs,            Runs),
    ("many_commands_in_flight_are_each_answered",                      Runs,      Runs,            Runs),
    ("units_of_one_target_are_asked_at_the_same_time",                 Runs,      Runs,            Runs),
    ("every_log_page_that_is_listed_can_be_read",                      Runs,      Lacks(LogPages), Runs),
    ("a_reservation_is_made_seen_and_given_back",                      Runs,      Lacks(Reserve),  Runs),
    ("a_wrong_key_reserves_nothing",                                   Runs,      Lacks(Reserve),  Runs),
    ("every_command_that_is_listed_is_supported_by_itself",            Runs,      Runs,            Runs),
    ("a_port_is_put_out_and_taken_in_again",                           Runs,      Lacks(Ports),    Runs),
];
