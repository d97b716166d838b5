import com.google.re2j.Pattern;
import com.google.re2j.PatternSyntaxException;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;

/**
 * What the engine of Kafka's brokers makes of patterns.
 *
 * <p>The arguments are names. A line on stdin is a pattern in hexadecimal. The answer on stdout is a
 * line: "invalid", or a digit for each name, 1 where the whole of it matches.
 */
public final class Patterns {
  public static void main(String[] names) throws IOException {
    BufferedReader lines =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.US_ASCII));
    StringBuilder out = new StringBuilder();
    for (String line = lines.readLine(); line != null; line = lines.readLine()) {
      String text = new String(HexFormat.of().parseHex(line), StandardCharsets.UTF_8);
      try {
        Pattern pattern = Pattern.compile(text);
        for (String name : names) {
          out.append(pattern.matcher(name).matches() ? '1' : '0');
        }
      } catch (PatternSyntaxException invalid) {
        out.append("invalid");
      }
      out.append('\n');
    }
    System.out.print(out);
  }
}
