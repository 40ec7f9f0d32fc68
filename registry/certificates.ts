/**
 * CA certificate of the example clusters' API servers (public). Replace it with what
 * `aws eks describe-cluster --query cluster.certificateAuthority.data` gives for yours, decoded.
 */
export const clusterCa = `-----BEGIN CERTIFICATE-----
MIIBjzCCATWgAwIBAgIUCWAbNJZZcWLj+160jUpHntngOrwwCgYIKoZIzj0EAwIw
HTEbMBkGA1UEAwwSZXhhbXBsZSBjbHVzdGVyIENBMB4XDTI2MTEyNDEyMjEyMVoX
DTQ2MTExOTEyMjEyMVowHTEbMBkGA1UEAwwSZXhhbXBsZSBjbHVzdGVyIENBMFkw
EwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEAfYMreth8hjkYLwFtR4GZuUf4MC4o05d
j3+th8ZjD38DMOl3yjFHA25x2ee7JzlF+dvYjj3214IELXM52GaIg6NTMFEwHQYD
VR0OBBYEFG2YXEfGukECHvibJpVqu/lfQqZYMB8GA1UdIwQYMBaAFG2YXEfGukEC
HvibJpVqu/lfQqZYMA8GA1UdEwEB/wQFMAMBAf8wCgYIKoZIzj0EAwIDSAAwRQIg
E3LT/OZa9RKbv5V3U5peA6flby8B/F6v/3VRzD90t40CIQCzb40S25Tt6C/ZozsO
0b0TDzZhkPafreZ6kQ3LG0xkqg==
-----END CERTIFICATE-----
`;
