// SPDX-License-Identifier: Apache-2.0
//! Route 53: moto stands in, which has its API without DNS behind it and checks no signature.

use serde_json::json;
use testbed::servers::{MotoStandIn, ServiceStandIn, World};

use crate::lab::Lab;

const OWNER: &str = "h0.acme-sign.test";

/// The values of the name, as Amazon's own client reads them.
fn values(moto: &MotoStandIn) -> String {
    moto.boto(&format!(
        "zone = route53.list_hosted_zones_by_name(DNSName='acme-sign.test.')['HostedZones'][0]['Id']\n\
         for set in route53.list_resource_record_sets(HostedZoneId=zone)['ResourceRecordSets']:\n    \
         if set['Type'] == 'TXT' and set['Name'] == '{OWNER}.': print([r['Value'] for r in set['ResourceRecords']])"
    ))
}

#[test]
fn route53_publishes_and_cleans_up_at_the_stand_in_moto() {
    let moto = MotoStandIn::start();
    let created = moto.boto(
        "print(route53.create_hosted_zone(Name='acme-sign.test.', CallerReference='1')['HostedZone']['Id'])",
    );
    let lab = Lab::without_authority(World::default());
    lab.sandbox.write("secret", "the secret key of the test\n");
    let by_name = json!({"route53": {
        "url": moto.url(), "access_key": "AKIDEXAMPLE", "secret_key_file": "$DIR/secret",
    }});
    let answer = lab.write("publish", &by_name, (OWNER, "v"));
    assert!(answer.changed(), "{}", answer.report());
    answer.never_says("the secret key of the test");
    assert_eq!(values(&moto).trim(), "['\"v\"']");
    // moto shows nothing in the DNS; what would be there is.
    lab.behind().put(OWNER, &[String::from("v")]);
    let by_id = json!({"route53": {
        "url": moto.url(), "access_key": "AKIDEXAMPLE", "secret_key": "the secret key of the test",
        "session_token": "the token of the session", "hosted_zone_id": created.trim(),
    }});
    let answer = lab.write("cleanup", &by_id, (OWNER, "v"));
    assert!(answer.changed(), "{}", answer.report());
    answer.never_says("the secret key of the test");
    answer.never_says("the token of the session");
    assert_eq!(values(&moto).trim(), "");
}

/// moto lets everybody in, so another stand-in says no, in Amazon's words and with more in it than there should be.
#[test]
fn route53_that_refuses_a_signature_is_told_without_the_secret_at_the_stand_in() {
    let service = ServiceStandIn::start(|asked| {
        let token = asked.header("x-amz-security-token").unwrap_or_default();
        let message = format!("The request signature we calculated does not match, {token}");
        (
            403,
            json!({"Code": "SignatureDoesNotMatch", "Message": message}),
        )
    });
    let lab = Lab::without_authority(World::default());
    lab.sandbox.write("token", "hunter2-of-a-session");
    let provider = json!({"route53": {
        "url": service.url(), "access_key": "AKIDEXAMPLE", "secret_key": "hunter2-hunter2", "session_token_file": "$DIR/token",
        "region": "us-gov-west-1",
    }});
    let answer = lab.write("publish", &provider, (OWNER, "v"));
    assert_eq!(answer.kind(), "dns.api_denied", "{}", answer.report());
    answer.never_says("hunter2");
    let asked = service.asked();
    let signed = asked[0].header("authorization").unwrap();
    assert!(
        signed.contains("/us-gov-west-1/route53/aws4_request"),
        "{signed}"
    );
}
