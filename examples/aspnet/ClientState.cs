using System.Text.Json;
using System.Text.Json.Nodes;

namespace AcrClient;

/// <summary>What the client keeps between its runs: tokens, and the exams it has sent. A product would encrypt the tokens.</summary>
public sealed class ClientState
{
    private string _file = "";

    public string? AccessToken { get; set; }
    public string? RefreshToken { get; set; }
    public DateTimeOffset ExpiresAt { get; set; }
    public List<JsonObject> Exams { get; set; } = [];

    /// <summary>The state kept at <paramref name="file"/>, an empty one where there is none.</summary>
    public static ClientState Load(string file)
    {
        var state = File.Exists(file) ? JsonSerializer.Deserialize<ClientState>(File.ReadAllText(file)) : null;
        state ??= new ClientState();
        state._file = file;
        return state;
    }

    /// <summary>Keeps new tokens; a server that does not rotate sends no new refresh token, and the old one stays.</summary>
    public void Keep(string accessToken, string? refreshToken, TimeSpan lifetime)
    {
        AccessToken = accessToken;
        RefreshToken = string.IsNullOrEmpty(refreshToken) ? RefreshToken : refreshToken;
        ExpiresAt = DateTimeOffset.UtcNow + lifetime;
        Save();
    }

    public void Save()
    {
        var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite; // tokens are the user's own
        }
        using var stream = new FileStream(_file, options);
        JsonSerializer.Serialize(stream, this);
    }
}
