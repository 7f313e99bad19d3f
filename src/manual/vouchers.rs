//! Who vouches for each command: how it is known that what is sent, taken and read is what the standards mean.
//!
//! Both sides of every command are here: an initiator's, which sends to real libraries, and a target's, which answers in
//! the simulator and in the [virtual library](crate::virtual_library). A codec whose two halves only ever talk to each
//! other proves nothing but that they agree, so each has a witness from outside where there is one.
//!
//! | column | the witness | vouches for |
//! |---|---|---|
//! | document | bytes as they are printed in SMC-3, SPC-4 and SSC-3 | the CDB, built and read |
//! | capture | what a changer that is not ours answered with GOOD, kept byte for byte | the CDB, and how the answer is read |
//! | real target | tgt's changer and drive over our iSCSI; the changer also behind a Linux kernel's `/dev/sgN` | the initiator's side, as a whole |
//! | foreign initiator | Linux's own drivers, mtx, lsscsi and sg3_utils through them, and libiscsi's programs | the target's side, as a whole |
//! | simulator | our own two halves, through the simulated library | that they agree; *alone*: nobody else does |
//!
//! A dash means that this witness has not the command. tgt and mhvtl (the captures) have not what only large libraries have.
//! The words in the cells are the tests, [below](#the-tests).
//!
//! # Commands to a changer
//!
//! | command | document | capture | real target | foreign initiator | simulator |
//! |---|---|---|---|---|---|
//! | `TestUnitReady` | bytes | captures | attention, many | ls | attention, many |
//! | `RequestSense` | bytes | captures | sense, no-command | sg-offer | sense, no-command |
//! | `Inquiry` | bytes | captures | inquiry, vital, short, no-page | ls, inq, scan-kernel, mtx, sg-identity | inquiry, vital, short, no-page |
//! | `ReportLuns` | bytes | captures | units | ls, scan-kernel, sg-offer | units |
//! | `ModeSense6` | bytes | captures | modes, geometry, capable | ch, loaderinfo | modes, geometry, capable |
//! | `ModeSense10` | bytes | captures | modes | – | modes |
//! | `InitializeElementStatus` | bytes | captures | scan | ch, mtx | scan |
//! | `InitializeElementStatusWithRange` | bytes | captures | scan-range | – | scan-range |
//! | `InitializeElementStatusWithRangeVendor` | bytes | captures | – | – | scan-time |
//! | `ReadElementStatus` | bytes | captures | report, serials, geometry, types, middle, tags, still | ch, mtx, loaderinfo | report, serials, geometry, types, middle, tags, still |
//! | `MoveMedium` | bytes | captures | move, load, mail, empty, full, nowhere | mtx, mtx-refused | move, load, mail, empty, full, nowhere |
//! | `ExchangeMedium` | bytes | – | – | mtx | exchange |
//! | `PositionToElement` | bytes | – | – | mtx | position |
//! | `PreventAllowMediumRemoval` | bytes | captures | – | – | door |
//! | `OpenCloseImportExport` | bytes-port | captures | – | – | port |
//! | `SendVolumeTag` | bytes-search | – | – | – | alone: search |
//! | `RequestVolumeElementAddress` | bytes-search | – | – | – | alone: search |
//! | `LogSense` | bytes-log | captures | – | sg-logs, sg-logs-elements | logs |
//! | `PersistentReserveIn` | bytes-reserve | – | – | sg-persist, sg-persist-kept | reserve, wrong-key |
//! | `PersistentReserveOut` | bytes-reserve | – | – | sg-persist, sg-persist-kept | reserve, wrong-key |
//! | `ReportSupportedOperationCodes` | bytes-list | captures | codes | sg-offer | codes |
//! | `ReadAttribute` | bytes-memory | – | – | – | – |
//! | `WriteAttribute` | bytes-memory | – | – | – | – |
//!
//! The attributes of a cartridge can be asked of a changer that keeps them for its slots; nobody here has such a one, and
//! the simulator's has its cartridges' in the drives only.
//!
//! # Commands to a drive
//!
//! | command | document | capture | real target | foreign initiator | simulator |
//! |---|---|---|---|---|---|
//! | `TestUnitReady` | bytes | – | drive-identity, drive-ready | ls | drive-ready |
//! | `RequestSense` | bytes | – | drive-identity | – | known |
//! | `Inquiry` | bytes | – | drive-identity, units-together | ls, scan-kernel, sg-identity | units-together |
//! | `ReportLuns` | bytes | – | drive-identity | sg-offer | known |
//! | `ModeSense6` | bytes | – | drive-identity | – | known |
//! | `ModeSense10` | bytes | – | drive-identity | – | known |
//! | `LoadUnload` | bytes, bytes-tape | – | drive-held, load | – | load, drive-load |
//! | `PreventAllowMediumRemoval` | bytes | – | drive-held | mtx-refused, sg-logs-drive | drive-locked |
//! | `Rewind` | bytes-tape | – | drive-data | – | drive-position |
//! | `Locate10` | bytes-tape | – | – | – | alone: drive-position |
//! | `Read6` | bytes-tape | – | drive-data | – | drive-recording |
//! | `Write6` | bytes-tape | – | drive-data | – | drive-recording |
//! | `WriteFilemarks6` | bytes-tape | – | drive-data | – | drive-recording |
//! | `ReadPosition` | bytes-tape | – | drive-where | – | drive-position |
//! | `ReportDensitySupport` | bytes-tape | – | – | – | alone: drive-formats |
//! | `LogSense` | bytes-log | – | – | sg-logs-drive, sg-logs-volume | drive-log |
//! | `PersistentReserveIn` | bytes-reserve | – | – | – | alone: reserve |
//! | `PersistentReserveOut` | bytes-reserve | – | – | – | alone: reserve |
//! | `ReportSupportedOperationCodes` | bytes-list | – | drive-identity | sg-offer | known |
//! | `ReadAttribute` | bytes-memory | – | – | sg-memory | memory |
//! | `WriteAttribute` | bytes-memory | – | – | – | alone: memory |
//!
//! The simulated drive keeps on its tapes what is written to them, in blocks of any length and filemarks. What tgt's drive refuses is
//! a test as well: `what_this_real_drive_does_not_have_it_refuses_by_operation_code`.
//!
//! # The tests
//!
//! The bodies of `tests/conformance.rs` run on the simulator, on tgt and on the virtual library, as
//! `tests/conformance/table.rs` says; `tests/guest/bodies.rs` runs them again on a Linux kernel's `/dev/sgN`, with tgt and
//! with the virtual library behind it.
//!
//! | word | test | file |
//! |---|---|---|
//! | bytes | `commands_lie_in_the_bytes_that_the_standards_give_them` | `crates/scsi/src/cdb/mod.rs` |
//! | bytes-port | `ports_are_opened_and_closed` | `crates/scsi/tests/command_bytes.rs` |
//! | bytes-search | `volume_tags_are_searched_and_what_was_found_is_fetched` | `crates/scsi/tests/command_bytes.rs` |
//! | bytes-log | `logs_are_read` | `crates/scsi/tests/command_bytes.rs` |
//! | bytes-reserve | `reservations_are_asked_for_and_made` | `crates/scsi/tests/command_bytes.rs` |
//! | bytes-list | `supported_commands_are_asked_for_by_their_service_action` | `crates/scsi/tests/command_bytes.rs` |
//! | bytes-memory | `the_memory_of_a_cartridge_is_read_and_written` | `crates/scsi/tests/command_bytes.rs` |
//! | bytes-tape | `drives_are_positioned_read_and_written` | `crates/scsi/tests/command_bytes.rs` |
//! | captures | `every_record_decodes_and_is_consistent` | `tests/captures.rs` |
//! | attention | `unit_attentions_are_told_and_then_over` | `tests/conformance/identity.rs` |
//! | sense | `request_sense_tells_that_nothing_is_wrong` | `tests/conformance/identity.rs` |
//! | inquiry | `the_standard_inquiry_says_what_it_is` | `tests/conformance/identity.rs` |
//! | vital | `the_vital_pages_are_listed_and_can_be_read` | `tests/conformance/identity.rs` |
//! | short | `a_short_allocation_gives_the_beginning` | `tests/conformance/identity.rs` |
//! | no-page | `an_unknown_vital_page_is_refused` | `tests/conformance/identity.rs` |
//! | no-command | `an_unknown_command_is_refused` | `tests/conformance/identity.rs` |
//! | units | `the_units_are_listed_and_each_answers` | `tests/conformance/identity.rs` |
//! | modes | `both_mode_senses_give_the_same_geometry` | `tests/conformance/elements.rs` |
//! | geometry | `the_geometry_agrees_with_the_elements` | `tests/conformance/elements.rs` |
//! | capable | `storage_can_hold_cartridges_and_they_can_be_brought_to_drives` | `tests/conformance/elements.rs` |
//! | report | `reading_in_chunks_equals_reading_at_once` | `tests/conformance/elements.rs` |
//! | types | `each_element_type_is_reported_by_itself` | `tests/conformance/elements.rs` |
//! | middle | `a_report_from_the_middle_begins_there` | `tests/conformance/elements.rs` |
//! | tags | `tags_come_when_they_are_asked_for_and_only_then` | `tests/conformance/elements.rs` |
//! | still | `what_is_known_is_told_without_motion` | `tests/conformance/elements.rs` |
//! | serials | `drives_are_named_by_their_serial_numbers` | `tests/conformance/elements.rs` |
//! | scan | `a_scan_finds_what_was_there` | `tests/conformance/whole.rs` |
//! | scan-range | `a_scan_of_a_range_finds_what_was_there` | `tests/conformance/whole.rs` |
//! | units-together | `units_of_one_target_are_asked_at_the_same_time` | `tests/conformance/whole.rs` |
//! | many | `many_commands_in_flight_are_each_answered` | `tests/conformance/whole.rs` |
//! | move | `a_cartridge_goes_to_another_slot_and_back` | `tests/conformance/motion.rs` |
//! | load | `a_cartridge_goes_to_a_drive_and_back` | `tests/conformance/motion.rs` |
//! | mail | `a_cartridge_goes_to_a_mail_slot_and_back` | `tests/conformance/motion.rs` |
//! | empty | `an_empty_source_is_refused_and_nothing_moves` | `tests/conformance/motion.rs` |
//! | full | `a_full_destination_is_refused_and_nothing_moves` | `tests/conformance/motion.rs` |
//! | nowhere | `an_unknown_element_is_refused_and_nothing_moves` | `tests/conformance/motion.rs` |
//! | drive-ready | `a_drive_becomes_ready_with_a_cartridge_and_not_ready_without` | `tests/conformance/motion.rs` |
//! | exchange | `an_exchange_moves_two_cartridges` | `tests/conformance/motion.rs` |
//! | position | `the_arm_is_positioned_and_moves_nothing` | `tests/conformance/motion.rs` |
//! | door | `a_locked_door_does_not_hinder_the_arm` | `tests/conformance/motion.rs` |
//! | logs | `every_log_page_that_is_listed_can_be_read` | `tests/conformance/services.rs` |
//! | reserve | `a_reservation_is_made_seen_and_given_back` | `tests/conformance/services.rs` |
//! | wrong-key | `a_wrong_key_reserves_nothing` | `tests/conformance/services.rs` |
//! | codes | `every_command_that_is_listed_is_supported_by_itself` | `tests/conformance/services.rs` |
//! | port | `a_port_is_put_out_and_taken_in_again` | `tests/conformance/services.rs` |
//! | drive-identity | `a_real_drive_says_who_it_is_how_it_is_set_and_what_it_can` | `tests/tgt_drive.rs` |
//! | drive-data | `what_is_written_to_a_real_drive_is_read_again_up_to_its_filemark` | `tests/tgt_drive.rs` |
//! | drive-held | `a_real_drive_keeps_a_cartridge_that_is_held_and_gives_up_one_that_is_unloaded` | `tests/tgt_drive.rs` |
//! | drive-where | `a_real_drive_answers_read_position_and_it_can_be_read` | `tests/tgt_drive.rs` |
//! | ls | `libiscsi_finds_the_target_and_each_unit_of_it` | `tests/virtual_library.rs` |
//! | inq | `libiscsi_reads_the_same_identity_as_we_do` | `tests/virtual_library.rs` |
//! | ch | `the_kernels_changer_driver_reads_our_geometry_and_scans_our_elements` | `tests/guest/kernel.rs` |
//! | scan-kernel | `the_conformance_bodies_pass_on_our_virtual_library_behind_the_kernels_initiator` | `tests/guest/bodies.rs` |
//! | mtx | `mtx_sees_and_moves_what_is_there` | `tests/guest/foreign/elements.rs` |
//! | mtx-refused | `what_mtx_is_refused_moves_nothing_and_says_why` | `tests/guest/foreign/elements.rs` |
//! | loaderinfo | `lsscsi_and_loaderinfo_describe_the_library` | `tests/guest/foreign/elements.rs` |
//! | sg-identity | `sg3_utils_read_the_identity_of_changer_and_drives` | `tests/guest/foreign/identity.rs` |
//! | sg-offer | `sg_luns_sg_requests_and_sg_opcodes_find_what_is_offered` | `tests/guest/foreign/identity.rs` |
//! | sg-memory | `sg_read_attr_reads_the_memory_of_the_cartridge_in_the_drive` | `tests/guest/foreign/identity.rs` |
//! | sg-logs | `sg_logs_counts_and_warns_as_the_changer_does` | `tests/guest/foreign/logs.rs` |
//! | sg-logs-elements | `sg_logs_reads_what_each_element_counted_and_what_failed` | `tests/guest/foreign/logs.rs` |
//! | sg-logs-drive | `sg_logs_reads_what_a_drive_does_and_warns_of` | `tests/guest/foreign/logs.rs` |
//! | sg-logs-volume | `sg_logs_reads_which_volume_is_in_a_drive` | `tests/guest/foreign/logs.rs` |
//! | sg-persist | `sg_persist_reserves_the_changer_against_another_initiator` | `tests/guest/foreign/reservations.rs` |
//! | sg-persist-kept | `a_reservation_of_the_kernel_outlives_its_lost_connection_and_its_logout` | `tests/guest/foreign/reservations.rs` |
//! | known | `every_command_that_is_listed_is_known_and_every_other_is_not` | `crates/sim/tests/services.rs` |
//! | scan-time | `initialize_takes_time_by_element_and_tells_the_other_hosts` | `crates/sim/tests/motion.rs` |
//! | search | `cartridges_are_found_by_their_labels_wherever_they_are` | `crates/sim/tests/services.rs` |
//! | drive-load | `a_drive_loads_becomes_ready_once_and_ejects` | `crates/sim/tests/drives.rs` |
//! | drive-locked | `prevent_on_a_drive_keeps_the_cartridge_in` | `crates/sim/tests/drives.rs` |
//! | drive-position | `a_tape_is_at_its_beginning_and_stays_there` | `crates/sim/tests/memory.rs` |
//! | drive-recording | `blocks_and_filemarks_are_read_as_they_were_written_and_then_the_data_end` | `crates/sim/tests/recording.rs` |
//! | drive-formats | `a_drive_tells_its_formats_and_those_of_its_cartridge` | `crates/sim/tests/memory.rs` |
//! | memory | `the_memory_goes_with_its_cartridge` | `crates/sim/tests/memory.rs` |
//! | drive-log | `the_log_of_a_drive_tells_how_a_load_goes_on` | `crates/sim/tests/services.rs` |
//!
//! `tests/vouchers.rs` holds this page to the code: every command of [`ChangerCommand`](crate::scsi::ChangerCommand) and
//! [`TapeCommand`](crate::scsi::TapeCommand) stands here once, every test exists, a real target's body runs on tgt, a capture
//! is claimed where a changer has answered the command with GOOD and nowhere else, *alone* is said where it is so, and no body and no test
//! of a foreign program is left out.
