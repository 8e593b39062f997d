using System.Text.Json;
using System.Text.Json.Serialization;

namespace AcrClient;

/// <summary>A test user of the registration document.</summary>
public sealed record TestUser(
    [property: JsonPropertyName("username")] string Username,
    [property: JsonPropertyName("facility_id")] string FacilityId);

/// <summary>What ACR (here: acrmock) gave the application, as far as this client needs it.</summary>
public sealed record Registration(
    [property: JsonPropertyName("client_id")] string ClientId,
    [property: JsonPropertyName("client_secret")] string ClientSecret,
    [property: JsonPropertyName("redirect_url")] Uri RedirectUrl,
    [property: JsonPropertyName("partner_id")] string PartnerId,
    [property: JsonPropertyName("app_id")] string AppId,
    [property: JsonPropertyName("issuer")] string Issuer,
    [property: JsonPropertyName("nrdr")] string Nrdr,
    [property: JsonPropertyName("ca_file")] string CaFile,
    [property: JsonPropertyName("scopes")] string[] Scopes,
    [property: JsonPropertyName("users")] TestUser[] Users,
    [property: JsonPropertyName("registries")] Dictionary<string, string> Registries)
{
    /// <summary>Reads the document at <paramref name="path"/>.</summary>
    public static Registration Read(string path) =>
        JsonSerializer.Deserialize<Registration>(File.ReadAllText(path))
        ?? throw new InvalidDataException($"{path} is no registration document");
}
