// SPDX-License-Identifier: Apache-2.0
#![expect(clippy::unwrap_used, reason = "tests")]

use super::*;

#[test]
fn key_usages_have_their_bits_and_read_back() {
    for (bit, usage) in KeyUsage::ALL.into_iter().enumerate() {
        assert_eq!(usize::from(usage.bit()), bit);
        assert_eq!(KEY_USAGES[bit].0, usage);
        assert_eq!(usage.to_string().parse::<KeyUsage>().unwrap(), usage);
        assert_eq!(KEY_USAGES[bit].2.parse::<KeyUsage>().unwrap(), usage);
    }
    for (text, usage) in [
        ("key_cert_sign", KeyUsage::KeyCertSign),
        ("keyCertSign", KeyUsage::KeyCertSign),
        ("Certificate Sign", KeyUsage::KeyCertSign),
        ("crl_sign", KeyUsage::CrlSign),
        ("contentCommitment", KeyUsage::NonRepudiation),
    ] {
        assert_eq!(text.parse::<KeyUsage>().unwrap(), usage);
    }
    assert!("digital".parse::<KeyUsage>().is_err());
}

#[test]
fn purposes_read_back_by_name_and_identifier() {
    for (purpose, oid, name, long) in PURPOSES {
        assert_eq!(purpose.oid(), oid);
        assert_eq!(purpose.to_string(), name);
        for text in [oid, name, long] {
            assert_eq!(text.parse::<ExtendedKeyUsage>().unwrap(), purpose, "{text}");
        }
        assert!(oid.parse::<Oid>().is_ok());
    }
    assert_eq!(
        "ocsp_signing".parse::<ExtendedKeyUsage>().unwrap(),
        ExtendedKeyUsage::OcspSigning
    );
    let other = "1.3.6.1.5.2.3.5".parse::<ExtendedKeyUsage>().unwrap();
    assert_eq!(
        (other.to_string().as_str(), other),
        (
            "1.3.6.1.5.2.3.5",
            ExtendedKeyUsage::Other(Oid::known("1.3.6.1.5.2.3.5"))
        )
    );
    assert!("server".parse::<ExtendedKeyUsage>().is_err());
}
