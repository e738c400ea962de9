#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| vitrin::fuzz::security_manifest(bytes));
