using System.Net.Security;
using System.Security.Cryptography.X509Certificates;

namespace AcrClient;

/// <summary>HTTP that trusts acrmock's certificate authority and no other.</summary>
public static class Trust
{
    /// <summary>
    /// A handler that validates the server's chain against the PEM file alone: host name and dates are checked as ever.
    /// Nothing has to be installed into the machine's store, on Windows, macOS or Linux.
    /// </summary>
    public static SocketsHttpHandler Only(string caFile)
    {
        var policy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            RevocationMode = X509RevocationMode.NoCheck, // a test authority publishes no revocation lists
        };
        policy.CustomTrustStore.ImportFromPemFile(caFile);
        return new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            SslOptions = new SslClientAuthenticationOptions { CertificateChainPolicy = policy },
        };
    }
}
