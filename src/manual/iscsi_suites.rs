//! The initiator, test by test of the suites that UNH-IOL has for iSCSI initiators.
//!
//! The numbers are those of the suites' own contents: login phase 3.0, full feature phase 3.1, CHAP 3.1. What each test is about is
//! said in our words, from its title and from RFC 7143; nobody at UNH-IOL has run them here. Each row names the tests of ours
//! that hold it, by name, and a test of ours holds this page: a name that is not there, or a number that is left out, is a
//! failure. *Not spoken* and *not watched* say why there is nothing to be tested. What the suites have behind the numbers here (login
//! beyond 23.1, full feature phase beyond 16.1.2, CHAP beyond 5.3) is not in the contents that we could read.
//!
//! # Login phase
//!
//! | test | what it is about, and what this initiator does | held by |
//! |---|---|---|
//! | 1.1 | a login without surprises | `a_login_without_secret_takes_two_requests`, `every_kind_of_logical_unit_is_reached` |
//! | 2.1 | TSIH is 0 in a new session | `a_login_without_secret_takes_two_requests` |
//! | 2.2 | TSIH is 0 in the last response: the login fails | `a_session_has_a_handle_and_a_discovery_session_needs_none` |
//! | 2.3 | not spoken: one connection per session | – |
//! | 3.1 | T, CSG and NSG of each request | `a_login_without_secret_takes_two_requests` |
//! | 3.2 | a target that leaves a stage late | `a_target_may_stay_in_a_stage_as_long_as_it_has_something_to_say`, `a_target_that_goes_on_for_ever_is_left` |
//! | 4.1 | StatSN begins at 0 | `a_login_begins_at_whatever_status_number_the_target_has_and_acknowledges_each` |
//! | 4.2 | StatSN begins elsewhere | `a_login_begins_at_whatever_status_number_the_target_has_and_acknowledges_each` |
//! | 5.1 | ExpStatSN during the login | `a_login_begins_at_whatever_status_number_the_target_has_and_acknowledges_each` |
//! | 6.1 | this side says each key once | `this_side_says_each_key_once` |
//! | 6.2 | ImmediateData said twice, in two PDUs: the login fails | `a_key_that_the_target_says_twice_ends_the_login_in_one_pdu_and_in_two` |
//! | 6.3 | the same in one PDU | `a_key_that_the_target_says_twice_ends_the_login_in_one_pdu_and_in_two` |
//! | 7.1 | a response that does not fit its request: the login fails | `a_response_that_does_not_fit_ends_the_login` |
//! | 7.2 | lists, the best first; an answer that is on none | `two_policies_agree_on_what_both_can_live_with`, `another_algorithm_or_method_than_was_offered_is_refused` |
//! | 7.3 | a method that was not offered: the login fails | `another_algorithm_or_method_than_was_offered_is_refused` |
//! | 7.4 | FirstBurstLength above what was offered: what was offered holds, for the smaller of both does | `lengths_are_never_larger_than_what_this_side_offered` |
//! | 7.5 | ImmediateData with a value that is none: the login fails | `what_cannot_be_agreed_to_ends_the_login` |
//! | 7.6 | a key that nobody knows: `NotUnderstood`; in the last word of a target it is let be | `an_offer_that_nobody_knows_is_answered`, `what_a_target_declares_of_its_own_in_its_last_word_is_let_be` |
//! | 8.1 | anything but a login response: the login fails | `anything_but_a_login_response_ends_a_login` |
//! | 9.1 | digests are offered | `two_policies_agree_on_what_both_can_live_with` |
//! | 9.2 | what is answered to them | `who_requires_digests_takes_no_silence_for_them`, `digests_are_used_when_either_side_wants_them_and_the_other_can` |
//! | 9.3 | CRC32C | `the_examples_of_the_standard_come_out`, `tgt_and_we_agree_on_header_and_data_digests` |
//! | 10.1 | MaxConnections above 1: the login fails | `what_cannot_be_agreed_to_ends_the_login` |
//! | 11.1 | InitiatorName and TargetName | `the_kind_of_session_and_the_names_come_first`, `names_have_one_of_three_forms_and_a_length` |
//! | 12.1 | markers are answered `No` | `markers_are_refused` |
//! | 13.1 | booleans | `booleans_are_yes_or_no` |
//! | 13.2 | each legal value of them | `booleans_are_yes_or_no` |
//! | 13.3 | an illegal one: the login fails | `what_cannot_be_agreed_to_ends_the_login` |
//! | 14.1 | MaxRecvDataSegmentLength is kept; out of its range the login fails | `small_data_goes_with_the_command_and_the_rest_when_it_is_asked_for`, `what_cannot_be_agreed_to_ends_the_login` |
//! | 15.1 | MaxBurstLength is kept | `a_request_for_more_than_a_burst_ends_the_session`, `lengths_are_never_larger_than_what_this_side_offered` |
//! | 16.1 | FirstBurstLength below MaxBurstLength | `lengths_are_never_larger_than_what_this_side_offered`, `data_goes_unasked_beyond_the_command_where_that_was_agreed` |
//! | 16.2 | FirstBurstLength above MaxBurstLength: the smaller one holds | `lengths_are_never_larger_than_what_this_side_offered` |
//! | 16.3 | FirstBurstLength as this side offers it | `lengths_are_never_larger_than_what_this_side_offered` |
//! | 17.1 | DefaultTime2Retain is offered as 0: nothing is kept | `this_side_says_each_key_once` |
//! | 18.1 | DefaultTime2Wait is waited for, within a bound | `a_target_says_how_long_it_wants_to_be_left_alone`, `a_target_is_left_alone_as_long_as_was_agreed_before_it_is_logged_in_to_again` |
//! | 19.1 | MaxOutstandingR2T above 1: the login fails | `what_cannot_be_agreed_to_ends_the_login` |
//! | 20.1 | ErrorRecoveryLevel above 0: the login fails | `what_cannot_be_agreed_to_ends_the_login` |
//! | 21.1 | SessionType, normal and discovery | `the_kind_of_session_and_the_names_come_first`, `discovery_lists_the_target_and_takes_no_command` |
//! | 22.1 | AuthMethod, with and without a secret | `a_login_without_secret_takes_two_requests`, `chap_proves_the_secret_and_shows_it_nowhere` |
//! | 23.1 | TargetPortalGroupTag may be said, once or again | `a_key_that_the_target_says_twice_ends_the_login_in_one_pdu_and_in_two` |
//!
//! # Full feature phase
//!
//! | test | what it is about, and what this initiator does | held by |
//! |---|---|---|
//! | 1.1 | CmdSN, one by one, across its wrap | `a_command_carries_its_lun_its_numbers_and_the_next_status_number`, `command_numbers_and_the_window_go_on_behind_their_wrap` |
//! | 2.1 | immediate PDUs use no number up | `a_targets_ping_is_answered_and_ours_is_noticed` |
//! | 2.2 | immediate task management | `an_abort_ends_the_commands_before_it_and_no_others` |
//! | 3.1 | a window that is shut | `a_window_that_closes_to_nothing_holds_commands_back_until_it_opens` |
//! | 3.2 | a large window | `no_more_than_the_bound_is_in_flight_whatever_the_window` |
//! | 3.3 | a window for one command | `the_window_of_the_target_is_kept_and_opens_with_its_answers` |
//! | 4.1 | not spoken: no command is ever sent again | `a_move_that_never_reached_the_target_is_unknown_and_not_sent_again` |
//! | 5.1 | ExpStatSN; a gap, an old number, the wrap | `each_status_is_acknowledged_by_the_next_pdu`, `an_answer_that_was_lost_ends_the_session_and_the_one_that_shows_it_is_kept`, `status_numbers_go_on_behind_their_wrap` |
//! | 6.1 | Data-In in order; anything else ends the session | `data_is_put_together_and_the_status_may_come_with_it`, `data_that_was_not_asked_for_ends_the_session` |
//! | 7.1 | not spoken: reassignment is of error recovery level 2 | – |
//! | 8.1 | unsolicited and solicited data | `data_of_every_length_arrives_whole_with_and_without_what_may_go_unasked` |
//! | 8.2 | solicited data alone | `a_request_for_data_that_is_not_there_ends_the_session`, `a_write_that_was_given_up_gets_the_rest_of_its_data_or_its_unit_would_wait_for_it` |
//! | 8.3 | unsolicited data alone | `data_goes_unasked_beyond_the_command_where_that_was_agreed` |
//! | 9.1 | the transfer tag of Data-Out | `small_data_goes_with_the_command_and_the_rest_when_it_is_asked_for` |
//! | 10.1 | a status that comes with data | `data_is_put_together_and_the_status_may_come_with_it` |
//! | 10.2 | the A bit, which has no meaning at level 0 | `an_acknowledgement_that_is_asked_for_at_this_level_is_let_be` |
//! | 11.1.1 | segments of Data-Out | `small_data_goes_with_the_command_and_the_rest_when_it_is_asked_for` |
//! | 11.1.2 | segments of Data-In | `a_long_answer_comes_in_pieces_that_the_initiator_takes` |
//! | 11.2.1 | the F bit of unsolicited data | `data_goes_unasked_beyond_the_command_where_that_was_agreed` |
//! | 11.2.2 | the F bit of solicited data | `small_data_goes_with_the_command_and_the_rest_when_it_is_asked_for` |
//! | 11.3 | DataSN of Data-Out | `small_data_goes_with_the_command_and_the_rest_when_it_is_asked_for` |
//! | 11.4 | offsets of Data-Out | `small_data_goes_with_the_command_and_the_rest_when_it_is_asked_for` |
//! | 12.1 | the transfer tag of an R2T | `small_data_goes_with_the_command_and_the_rest_when_it_is_asked_for` |
//! | 12.2 | an R2T beyond the data, or a burst: the session ends | `a_request_for_data_that_is_not_there_ends_the_session`, `a_request_for_more_than_a_burst_ends_the_session` |
//! | 12.3 | an R2T out of order: the session ends | `a_request_for_data_that_is_not_there_ends_the_session` |
//! | 12.4 | commands side by side | `answers_may_come_in_any_order`, `many_more_commands_than_the_window_holds_are_each_sent_and_answered_once` |
//! | 13.1 | not spoken: SNACK is of error recovery level 1 | – |
//! | 13.2 | not spoken: the same | – |
//! | 14.1 | a logout that the target wants, in time | `a_wanted_logout_waits_for_the_answers_that_are_due`, `a_logout_that_cannot_wait_for_a_move_is_done_in_time` |
//! | 14.2 | not spoken: one connection per session | – |
//! | 15.1 | the answer to a ping of the target | `a_targets_ping_is_answered_and_ours_is_noticed`, `a_ping_of_the_target_during_a_large_write_is_answered` |
//! | 15.2 | a ping of ours | `a_long_move_lives_as_long_as_its_target_answers_pings` |
//! | 15.3 | ExpStatSN of a pong | `each_status_is_acknowledged_by_the_next_pdu` |
//! | 16.1.1 | a command's fields, with immediate data | `small_data_goes_with_the_command_and_the_rest_when_it_is_asked_for` |
//! | 16.1.2 | the same without | `a_request_for_data_that_is_not_there_ends_the_session` |
//!
//! # CHAP
//!
//! | test | what it is about, and what this initiator does | held by |
//! |---|---|---|
//! | 1.1 | CHAP_A is 5 (MD5) | `chap_proves_the_secret_and_shows_it_nowhere` |
//! | 1.2.1 | another number: the login fails | `an_algorithm_is_the_one_that_was_offered` |
//! | 1.2.2 | no number: the login fails | `an_algorithm_is_the_one_that_was_offered` |
//! | 1.3 | before its turn: nothing is proved | `what_comes_before_its_turn_or_not_at_all_ends_the_login` |
//! | 2.1 | CHAP_I from 0 to 255 | `an_identifier_is_one_byte` |
//! | 2.2 | 256, a sign, a word: the login fails | `an_identifier_is_one_byte` |
//! | 2.3 | before its turn, or missing | `what_comes_before_its_turn_or_not_at_all_ends_the_login` |
//! | 2.4 | ours differs from login to login, as the challenge does that it is taken from | `each_login_asks_the_target_something_new` |
//! | 2.5 | ours is asked of the target, not its own | `a_targets_proof_is_whole_and_for_our_identifier_and_challenge` |
//! | 2.6 | a proof for another identifier: the login fails | `a_targets_proof_is_whole_and_for_our_identifier_and_challenge` |
//! | 3.1 | CHAP_C of 1024 bytes | `a_challenge_has_1_to_1024_bytes` |
//! | 3.2 | CHAP_C of one byte | `a_challenge_has_1_to_1024_bytes` |
//! | 3.3 | CHAP_C of 1025 bytes: the login fails | `a_challenge_has_1_to_1024_bytes` |
//! | 3.4 | CHAP_C without a byte: the login fails | `a_challenge_has_1_to_1024_bytes` |
//! | 3.5 | before its turn, or missing | `what_comes_before_its_turn_or_not_at_all_ends_the_login` |
//! | 3.6.1 | not watched: a challenge that a target uses again, in sessions side by side, harms the target alone | – |
//! | 3.6.2 | not watched: the same, one session after the other | – |
//! | 3.6.3 | ours is a new one in each login, side by side | `each_login_asks_the_target_something_new` |
//! | 3.6.4 | the same, one after the other | `each_login_asks_the_target_something_new` |
//! | 3.7 | our own challenge sent back: the login fails | `our_own_words_prove_nothing` |
//! | 3.8 | one secret for both sides, which is what a challenge that is sent back needs, is refused | `the_same_secret_both_ways_proves_nothing_and_is_not_used` |
//! | 4.1 | CHAP_N is the name that was given | `a_target_that_must_prove_itself_is_believed_only_when_it_does` |
//! | 4.2 | a name of 255 characters | `a_targets_name_is_the_one_that_was_given_and_no_other` |
//! | 4.3 | a name of one character | `a_targets_name_is_the_one_that_was_given_and_no_other` |
//! | 4.4 | a name longer than a value may be: the login fails | `a_targets_name_is_the_one_that_was_given_and_no_other` |
//! | 4.5 | before its turn: the login fails | `what_comes_before_its_turn_or_not_at_all_ends_the_login` |
//! | 4.6 | our own name sent back: the login fails | `a_targets_name_is_the_one_that_was_given_and_no_other` |
//! | 4.7 | the name that was given, again in the next login | `the_right_secrets_open_one_way_and_both_ways` |
//! | 4.8 | another name: the login fails | `a_targets_name_is_the_one_that_was_given_and_no_other` |
//! | 5.1 | CHAP_R for another secret, or no binary: the login fails | `a_target_that_must_prove_itself_is_believed_only_when_it_does`, `a_targets_proof_is_whole_and_for_our_identifier_and_challenge` |
//! | 5.2 | CHAP_R of 17 bytes: the login fails | `a_targets_proof_is_whole_and_for_our_identifier_and_challenge` |
//! | 5.3 | CHAP_R of 15 bytes: the login fails | `a_targets_proof_is_whole_and_for_our_identifier_and_challenge` |
