//! The documentation that is made from the code, held equal to it. `UPDATE_EXPECT=1` writes it.

use expect_test::expect_file;

#[test]
fn the_list_of_metrics_is_that_of_the_code() {
    expect_file!["../../docs/metrics.md"].assert_eq(&vitrin::cli::markdown());
}
