#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| homeport_fuzz::dynamodb::statements(data));
