#![no_main]
libfuzzer_sys::fuzz_target!(|input: &[u8]| crm_host::fuzzing::envelope(input));
