import { definePolicy } from "holdfast/sdk";

// Tells in good time of a certificate that ends, once a day until it is renewed; moves nothing. What
// counts is what the server shows, whatever lies in its folder. For an authority of your own, in
// holdfast.conf: tls { ca_file /etc/ssl/own-ca.pem }

const TARGET = "127.0.0.1:443";
const SERVER_NAME = "www.example.org";
const FEWEST_DAYS = 21;

export default definePolicy({
  about: "Warns three weeks before the certificate ends",
  permissions: { tls: ["127.0.0.1:443"], mail: { to: ["ops@example.org"] } },
  checks: {
    certificate: {
      every: "1h",
      timeout: "10s",
      onStale: "up",
      async run(ctx) {
        const found = await ctx.tls.certificate(TARGET, { serverName: SERVER_NAME });
        ctx.metrics.gauge("certificate_days_left", found.daysLeft);
        const ok = found.valid && found.daysLeft >= FEWEST_DAYS;
        const reason = found.problem ?? `${found.daysLeft} days left`;
        if (!ok) {
          ctx.mail.send({
            subject: `${SERVER_NAME}: ${reason}`,
            text: `The certificate at ${TARGET} on ${ctx.node}: ${reason}.`,
            dedupe: SERVER_NAME,
            throttle: "24h",
          });
        }
        return { ok, reason };
      },
    },
  },
});
