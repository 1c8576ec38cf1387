//! QR codes as one path of an SVG picture, which our Content-Security-Policy lets stand in the page.

use qrcode::{Color, EcLevel};
use serde::Serialize;

/// Modules of white around the code, as the standard wants it.
const QUIET: usize = 4;

/// A picture `size` by `size`, one unit a module.
#[derive(Debug, Clone, Default, Serialize)]
pub struct QrCode {
    /// Width and height with the white border.
    pub size: usize,
    /// The dark modules, as the `d` of a path.
    pub path: String,
}

impl QrCode {
    /// The code of a text; `None` if it is too long for one.
    pub fn of(text: &str) -> Option<QrCode> {
        let code = qrcode::QrCode::with_error_correction_level(text, EcLevel::M).ok()?;
        let width = code.width();
        let colors = code.to_colors();
        let mut path = String::new();
        for (row, line) in colors.chunks(width).enumerate() {
            let mut column = 0;
            for run in line.chunk_by(|one, next| one == next) {
                if run.first() == Some(&Color::Dark) {
                    let (x, y, length) = (column + QUIET, row + QUIET, run.len());
                    path.extend([format!("M{x} {y}h{length}v1h-{length}z")]);
                }
                column += run.len();
            }
        }
        Some(QrCode {
            size: width + 2 * QUIET,
            path,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::QrCode;

    #[test]
    fn the_three_corners_are_drawn_behind_a_white_border() {
        let code = QrCode::of("otpauth://totp/CRM:a@example.jp?secret=ABCDEFGH&issuer=CRM").unwrap();
        assert!(code.path.starts_with("M4 4h7v1h-7z"), "{}", code.path);
        let right = code.size - 4 - 7;
        assert!(code.path.contains(&format!("M{right} 4h7v1h-7z")));
        assert!(code.path.contains(&format!("M4 {right}h7v1h-7z")));
    }

    #[test]
    fn a_text_that_is_too_long_has_no_code() {
        assert!(QrCode::of(&"長".repeat(2_000)).is_none());
    }
}
