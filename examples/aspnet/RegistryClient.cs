using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json.Nodes;

namespace AcrClient;

/// <summary>The registry side: transactions and their statuses, with an access token that is refreshed without a person.</summary>
public sealed class RegistryClient(Registration registration, ClientState state, HttpClient http)
{
    private static readonly HashSet<string> Terminal =
        ["Failed", "ValidationFail", "Posted", "PartiallySuccessful", "UpdatedWithNewTransaction"];

    /// <summary>Posts exams as one transaction and follows its status to the end, no faster than the server asks.</summary>
    public async Task DeliverAsync(IReadOnlyCollection<JsonObject> exams, CancellationToken stop)
    {
        var version = registration.Registries["lcsr"];
        var identifier = Guid.NewGuid().ToString();
        var body = new JsonObject
        {
            ["Transaction_Header"] = new JsonObject
            {
                ["Transaction_ID"] = identifier,
                ["Transaction_Date"] = DateTimeOffset.UtcNow.ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture),
                ["Partner_ID"] = registration.PartnerId,
                ["App_ID"] = registration.AppId,
                ["Facility_ID"] = registration.Users[0].FacilityId,
                ["Registry"] = "LCSR",
                ["Data_Version"] = version,
                ["Number_Of_Exams"] = exams.Count,
            },
            ["Exams"] = new JsonArray(exams.Select(exam => exam.DeepClone()).ToArray()),
        };
        var url = new Uri($"{registration.Nrdr}/lcsr/v{version}/transactions");
        var answer = await SendAsync(() => new HttpRequestMessage(HttpMethod.Post, url) { Content = JsonContent.Create(body) }, stop);
        if (answer.StatusCode != HttpStatusCode.Accepted)
        {
            throw new HttpRequestException($"refused with {answer.StatusCode}: {await answer.Content.ReadAsStringAsync(stop)}");
        }
        var where = new Uri(url, answer.Headers.Location ?? throw new InvalidDataException("202 without Location"));
        while (true)
        {
            await Task.Delay(answer.Headers.RetryAfter?.Delta ?? TimeSpan.FromSeconds(1), stop);
            answer = await SendAsync(() => new HttpRequestMessage(HttpMethod.Get, where), stop);
            answer.EnsureSuccessStatusCode();
            var status = await answer.Content.ReadFromJsonAsync<JsonObject>(stop);
            var word = (string?)status?["Status"] ?? "";
            Console.WriteLine($"{identifier} {word}");
            if (Terminal.Contains(word))
            {
                return;
            }
        }
    }

    private async Task<HttpResponseMessage> SendAsync(Func<HttpRequestMessage> make, CancellationToken stop)
    {
        if (DateTimeOffset.UtcNow > state.ExpiresAt - TimeSpan.FromSeconds(1))
        {
            await RefreshAsync(stop);
        }
        var request = make();
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", state.AccessToken);
        return await http.SendAsync(request, stop);
    }

    /// <summary>RFC 6749 section 6, at the endpoint that discovery names today: endpoints may move.</summary>
    private async Task RefreshAsync(CancellationToken stop)
    {
        var discovery = new Uri($"{registration.Issuer}/.well-known/openid-configuration");
        var metadata = await http.GetFromJsonAsync<JsonObject>(discovery, stop) ?? throw new InvalidDataException("no metadata");
        if ((string?)metadata["issuer"] != registration.Issuer)
        {
            throw new InvalidDataException("discovery names another issuer");
        }
        var form = new FormUrlEncodedContent(new Dictionary<string, string>
        {
            ["grant_type"] = "refresh_token",
            ["refresh_token"] = state.RefreshToken ?? throw new InvalidOperationException("sign in first"),
            ["client_id"] = registration.ClientId,
            ["client_secret"] = registration.ClientSecret,
        });
        var answer = await http.PostAsync((string?)metadata["token_endpoint"], form, stop);
        answer.EnsureSuccessStatusCode();
        var token = await answer.Content.ReadFromJsonAsync<JsonObject>(stop) ?? throw new InvalidDataException("no token");
        state.Keep(
            (string?)token["access_token"] ?? throw new InvalidDataException("no access token"),
            (string?)token["refresh_token"],
            TimeSpan.FromSeconds((double?)token["expires_in"] ?? 0));
    }
}
